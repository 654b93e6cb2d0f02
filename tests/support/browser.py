"""A headless Chromium for tests, with methods that read and operate the loaded page."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools import missing, program

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


TAB, ENTER, SPACE = "\ue004", "\ue007", "\ue00d"
END, HOME, LEFT, UP, RIGHT, DOWN = "\ue010", "\ue011", "\ue012", "\ue013", "\ue014", "\ue015"
"""Keys in WebDriver's notation."""


class Browser:
    """A browser with one window."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def open(self, content: str, name: str = "page.html", *, width: int = 1440) -> None:
        """Load *content* from a file, in a window of *width* pixels."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        file = self.folder / name
        file.write_text(content, encoding="utf-8")
        self.log()
        self.driver.get("about:blank")  # forces a reload, even if only the fragment differs
        self.driver.get(file.as_uri())

    def command(self, name: str, **values: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, values)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def frame(self) -> None:
        """Wait until the browser has drawn its next frame, before which it sends the events of scrolling."""
        self.driver.execute_async_script("const [done] = arguments; requestAnimationFrame(() => setTimeout(done));")

    def log(self) -> list[str]:
        """Return the console messages since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self) -> list[str]:
        """Return the URLs that pages from files requested since the last call, without those of an empty window."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        urls = [request["request"]["url"] for request in sent if request["documentURL"].startswith("file:")]
        return [url for url in urls if url != "data:,"]

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        (found,) = self.all(selector)
        return found

    def click(self, selector: str) -> None:
        """Click at the position of the element, as a user does."""
        from selenium.common.exceptions import StaleElementReferenceException  # noqa: PLC0415 - it may be missing

        for _ in range(20):  # a page that shows changes as they happen may replace the element meanwhile
            with suppress(StaleElementReferenceException):
                element = self.one(selector)
                self.run("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", element)
                self._actions().move_to_element(element).click().perform()
                return
        raise AssertionError(f"{selector} was replaced again and again")

    def press(self, *keys: str) -> None:
        self._actions().send_keys(*keys).perform()

    def _actions(self) -> Any:
        from selenium.webdriver import ActionChains  # noqa: PLC0415 - it may be missing

        return ActionChains(self.driver)

    def text(self, selector: str) -> str:
        """Return the visible text of an element, on one line."""
        return " ".join(self.one(selector).text.split())

    def shown_panels(self) -> list[str | None]:
        return [panel.get_attribute("data-panel") for panel in self.all(".panel") if panel.is_displayed()]


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Start a Chromium with a new profile, and quit it afterwards."""
    if find_spec("selenium") is None:
        missing("the package selenium")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService  # noqa: PLC0415 - it may be missing

    options = ChromeOptions()
    options.binary_location = program("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder, "profile")
        for flag in (*_FLAGS, *more, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = Chrome(options=options, service=ChromeService(program("chromedriver")))
        try:
            yield Browser(driver, Path(folder))
        finally:
            driver.quit()
