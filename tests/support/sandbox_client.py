"""Clients of a sandbox, for the tests of `session_fsm.sandbox`."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx2

from session_fsm.sandbox import SandboxApp, create_app

T = TypeVar("T")

HEADERS = {"Authorization": "ApiKey-v1 test"}
CART = [{"sku": "MUG", "quantity": 3, "price": 12.5}, {"sku": "PEN", "quantity": 1, "price": 2}]


class Client:
    """Sends requests to a sandbox in this process, without a network."""

    def __init__(self, app: SandboxApp[Any] | None = None, **settings: Any) -> None:
        self.app = create_app(**settings) if app is None else app

    def send(self, method: str, path: str, **given: Any) -> httpx2.Response:
        return run(self.asend(method, path, **given))

    async def asend(self, method: str, path: str, **given: Any) -> httpx2.Response:
        headers = given.pop("headers", {})
        wanted = {name: value for name, value in {**HEADERS, **headers}.items() if value is not None}
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.request(method, path, headers=wanted, **given)

    def update(self, session_id: str = "order-1", query: str = "", *content: str, **session: Any) -> httpx2.Response:
        body = {"customerSession": session, **({"responseContent": list(content)} if content else {})}
        return self.send("PUT", f"/v2/customer_sessions/{session_id}{query}", json=body)

    def get(self, session_id: str = "order-1") -> httpx2.Response:
        return self.send("GET", f"/v2/customer_sessions/{session_id}")

    def return_items(
        self, *items: dict[str, Any], session_id: str = "order-1", query: str = "", content: tuple[str, ...] = ()
    ) -> httpx2.Response:
        body = {"return": {"returnedCartItems": list(items)}, "responseContent": list(content)}
        return self.send("POST", f"/v2/customer_sessions/{session_id}/returns{query}", json=body)

    def reopen(self, session_id: str = "order-1") -> httpx2.Response:
        return self.send("PUT", f"/v2/customer_sessions/{session_id}/reopen")

    def order(self, session_id: str = "order-1", **session: Any) -> None:
        """Create an order: a session with two items that is closed."""
        assert self.update(session_id, **{"cartItems": CART, "state": "closed", **session}).status_code == 200


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def titles(answer: httpx2.Response) -> list[str]:
    return [entry["title"] for entry in answer.json().get("errors", [])]


def details(answer: httpx2.Response) -> list[tuple[str, dict[str, str]]]:
    return [(entry["details"], entry["source"]) for entry in answer.json()["errors"]]
