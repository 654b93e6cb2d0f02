"""``python -m client``: create, close, reopen and return an order, without a network."""

from client.calls import create, put, reopen, return_items
from client.sessions import ShopSession
from client.stub import Stub, api_with
from session_fsm import CartItem, ReturnedCartItem, SessionUpdate


def main() -> None:
    """Print each request, and the session after it."""
    stub = Stub()
    api = api_with(stub)

    def show(session: ShopSession) -> ShopSession:
        print(*stub.requests, session, sep="\n")
        stub.requests.clear()
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
