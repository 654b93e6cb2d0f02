"""``python -m client``: create, close, reopen and return an order at a sandbox, without a network."""

from client.calls import create, put, reopen, return_items
from client.connection import api_at
from client.sessions import ShopSession
from session_fsm import CartItem, ReturnedCartItem, SessionUpdate
from session_fsm.sandbox import Sandbox


def main() -> None:
    """Print each request, and the session after it."""
    with Sandbox() as talon_one:
        api = api_at(talon_one.url, "sandbox")
        shown = 0

        def show(session: ShopSession) -> ShopSession:
            nonlocal shown
            requests = talon_one.requests[shown:]
            print(*(f"{request.method} {request.path}" for request in requests), session, sep="\n")
            shown += len(requests)
            return session

        pens = CartItem(sku="PEN", quantity=3, price="2.5")
        session = show(create(api, "order-7", SessionUpdate(cart_items=[pens]))[0])
        four = CartItem(sku="PEN", quantity=4, price="2.5")
        session = show(put(api, session, SessionUpdate(state="closed", cart_items=[four]))[0])
        session = show(reopen(api, session)[0])
        session = show(put(api, session, SessionUpdate(state="closed"))[0])
        show(return_items(api, session, [ReturnedCartItem(sku="PEN", quantity=1)], key="return-1")[0])


if __name__ == "__main__":
    main()
