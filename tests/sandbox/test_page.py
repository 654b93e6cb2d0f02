"""The page in a real Chromium: an order's life by clicks, live updates, hostile texts."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from browser import ENTER, Browser, chromium
from sandbox_client import HEADERS

from session_fsm.sandbox import Sandbox

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>document.title='owned'</script>",
    "\"'><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
    "\u202etxt.exe",
    "a\nb\tc",
    "#session=x&y=%20+z",
    "</textarea></style></script><b>",
    "x" * 1000,
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


class Page:
    """The page of a sandbox in a browser."""

    def __init__(self, browser: Browser, sandbox: Sandbox[Any]) -> None:
        self.browser, self.sandbox = browser, sandbox
        self.client = httpx2.Client(base_url=sandbox.url, headers=HEADERS)

    def open(self, fragment: str = "", width: int = 1280) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.command("Emulation.setDeviceMetricsOverride", **size)
        self.browser.log()
        self.browser.driver.get_log("performance")
        self.browser.driver.get("about:blank")
        self.browser.driver.get(f"{self.sandbox.url}/{fragment}")
        self.until("document.body.dataset.ready === 'yes'")

    def until(self, condition: str, *arguments: Any) -> None:
        """Wait until a condition of the script holds."""
        from selenium.webdriver.support.wait import WebDriverWait  # noqa: PLC0415 - it may be missing

        wait = WebDriverWait(self.browser.driver, 15, poll_frequency=0.02)
        wait.until(lambda driver: driver.execute_script(f"return {condition}", *arguments), condition)

    def until_text(self, selector: str, text: str) -> None:
        self.until(f"(document.querySelector({json.dumps(selector)})?.textContent ?? '').includes(arguments[0])", text)

    def put(self, session_id: str, **session: Any) -> httpx2.Response:
        path = f"/v2/customer_sessions/{quoted(session_id)}"
        return self.client.put(path, json={"customerSession": session})

    def send(self, trigger: str, state: str) -> None:
        """Choose a trigger, send its request, and wait for the state."""
        self.browser.click(f"[data-trigger={trigger}]")
        self.browser.click("#send")
        self.until_text("#head .pill", state)

    def check(self) -> None:
        """Fail if the console has messages, or something was requested elsewhere."""
        assert self.browser.log() == []
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.driver.get_log("performance")]
        urls = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        assert [url for url in urls if not url.startswith((self.sandbox.url, "about:", "data:"))] == []


def quoted(text: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - beside its use

    return quote(text, safe="")


@pytest.fixture
def page(browser: Browser, talon_one: Sandbox[Any]) -> Iterator[Page]:
    page = Page(browser, talon_one)
    yield page
    browser.driver.get("about:blank")
    page.client.close()


def test_the_life_of_an_order_by_clicks(page: Page) -> None:
    page.open()
    page.browser.click("#example")
    page.until_text("#head h2", "order-1001")
    assert "53.60" in page.browser.text("#head .sum") or "53.6" in page.browser.text("#head .sum")
    page.send("close", "closed")
    page.browser.click("[data-trigger=close]")
    page.browser.click("#dry")
    page.until_text("#result", "It would be refused")
    assert "Only open sessions can be closed" in page.browser.text("#result")
    page.send("reopen", "open")
    page.send("close", "closed")
    page.browser.click("[data-trigger=return_items]")
    page.browser.click("#dry")
    page.until_text("#result", "It would be allowed")
    assert "returns_more_than_remaining" in page.browser.text("#result")
    page.browser.click("#send")
    page.until_text("#head .pill", "partially returned")
    page.until_text("#cart", "1 returned")
    page.send("cancel", "cancelled")
    assert [event.trigger.value for event in page.sandbox.history("order-1001")] == [
        *("create", "close", "reopen", "close", "return_items", "cancel"),
    ]
    page.until("document.querySelectorAll('#history li').length === 6")
    page.until("document.querySelectorAll('#exchanges li').length === 6")
    page.until("document.querySelector('#picture img').naturalWidth > 0")
    page.browser.click("#exchanges li:first-child summary")
    page.until_text("#exchanges li:first-child .bodies", '{"customerSession":{')
    assert "authorization: ApiKey-v1" in page.browser.text("#exchanges li:first-child .bodies")
    page.check()


def test_a_refusal_shows_its_reasons(page: Page) -> None:
    page.put("order-1", state="closed")
    page.open("#session=order-1")
    page.browser.click("[data-trigger=update]")
    page.browser.click("#send")
    page.until_text("#result", "Only open sessions can be updated")
    page.sandbox.cut_next()
    page.browser.click("[data-trigger=reopen]")
    page.browser.click("#send")
    page.until_text("#result", "The connection was dropped")
    assert [one.fault for one in page.sandbox.requests] == [None, None, {"cut": True, "times": 1}]


def test_changes_of_a_second_client_appear_live(page: Page) -> None:
    page.open()
    page.put("order-7", cartItems=[{"sku": "MUG", "quantity": 2, "price": 9.999}])
    page.until_text("#sessions", "order-7")
    page.browser.click("#sessions a")
    page.until_text("#head h2", "order-7")
    assert "19.998" in page.browser.text("#head .sum")
    page.put("order-7", couponCodes=["XMAS"])
    page.until_text("#head .facts", "XMAS")
    page.put("order-7", state="closed")
    page.until_text("#head .pill", "closed")
    page.browser.click("#all-link")
    page.until("document.querySelectorAll('#all-requests li').length === 3")
    page.put("order-8")
    page.until("document.querySelectorAll('#all-requests li').length === 4")
    page.sandbox.reset()
    page.until("document.querySelectorAll('#all-requests li').length === 0")
    page.check()


def test_the_clock_and_the_faults_are_controls(page: Page) -> None:
    page.open()
    page.sandbox.clock.stop()
    before = page.sandbox.clock.time
    page.browser.click("#clock-button")
    page.browser.click("[data-key='1 day']")
    page.sandbox.bell.wait_until(lambda: page.sandbox.clock.time > before, 10)
    assert (page.sandbox.clock.time - before).days == 1
    page.browser.click("#clock-run")
    page.sandbox.bell.wait_until(lambda: page.sandbox.clock.running, 10)
    page.browser.press("\ue00c")
    page.browser.click("#faults-button")
    page.browser.click("[data-key=order]")
    page.until_text("#faults-count", "1")
    assert [state.fault.status for state in page.sandbox.faults] == [409]
    page.browser.click(".ordered button")
    page.until("document.getElementById('faults-count').hidden")
    assert page.sandbox.faults == []
    page.check()


def test_everything_is_deleted_after_a_question(page: Page) -> None:
    page.put("order-1")
    page.open()
    page.browser.click("#reset-button")
    page.browser.click("#reset-now")
    page.until_text("#sessions-count", "0")
    assert page.sandbox.sessions() == []


def test_a_session_is_created_by_the_keyboard_alone(page: Page) -> None:
    page.open()
    page.browser.run("document.getElementById('new-button').focus()")
    page.browser.press(ENTER)
    page.until("document.activeElement.id === 'new-id'")
    page.browser.press("order-keyboard", ENTER)
    page.until_text("#head h2", "order-keyboard")
    page.browser.run("document.querySelector('[data-trigger=close]').focus()")
    page.browser.press(ENTER)
    page.until("document.activeElement.id === 'body'")
    page.browser.run("document.getElementById('send').focus()")
    page.browser.press(ENTER)
    page.until_text("#head .pill", "closed")
    page.check()


@pytest.mark.parametrize("width", [390, 1280])
def test_texts_of_a_session_run_no_script(page: Page, width: int) -> None:
    for number, text in enumerate(HOSTILE):
        answer = page.put(
            text,
            profileId=text,
            couponCodes=[text[:100]],
            referralCode=text[:100],
            additionalCosts={text: {"price": 1}},
            cartItems=[{"sku": text, "name": text, "quantity": 1, "price": 1, "category": text}],
        )
        assert answer.status_code == 200, (number, answer.text)
        assert page.put(text, state="closed").status_code == 200
    for text in HOSTILE:
        page.open(f"#session={quoted(text)}", width)
        page.until("document.querySelector('#head h2 bdi')?.textContent === arguments[0]", text)
        page.until("document.querySelector('#picture img').naturalWidth > 0")
        assert (
            page.browser.run(
                "return [document.scripts.length, document.querySelectorAll('main svg, main b + b').length]"
            )[0]
            == 1
        )
        assert page.browser.run("return document.title") != "owned"
        assert page.browser.run("return document.documentElement.scrollWidth <= innerWidth")
    page.open("#requests", width)
    page.browser.click("#all-requests li:first-child summary")
    page.until_text("#all-requests li:first-child .bodies", "customerSession")
    page.check()


def test_a_session_that_does_not_exist_is_said(page: Page) -> None:
    page.open("#session=order-9")
    page.until_text("main", "There is no such session")
    page.put("order-9")
    page.until_text("#head h2", "order-9")
    page.open("#session=%FF")
    page.until_text("main", "There is no such session")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_the_window(page: Page, width: int) -> None:
    page.put("order-1", cartItems=[{"sku": "MUG", "quantity": 1, "price": 2}])
    for fragment in ("", "#requests", "#session=order-1"):
        page.open(fragment, width)
        assert page.browser.run("return document.documentElement.scrollWidth <= innerWidth")
    is_shown = page.browser.run("return document.querySelector('aside').offsetParent !== null")
    assert is_shown == (width > 500)
