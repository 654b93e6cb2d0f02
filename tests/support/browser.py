"""A headless Chromium, and what a test asks of the page in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
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
"""Keys, as WebDriver writes them."""


class Browser:
    """A browser with one window."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def open(self, content: str, name: str = "page.html", *, width: int = 1440) -> None:
        """Load *content* from a file, in a window of this width."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        file = self.folder / name
        file.write_text(content, encoding="utf-8")
        self.log()
        self.driver.get("about:blank")  # so that a load is one, even of the same name with another fragment
        self.driver.get(file.as_uri())

    def command(self, name: str, **values: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, values)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def log(self) -> list[str]:
        """Return what the page has complained of since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self) -> list[str]:
        """Return the addresses that our files asked for since the last time; an empty window asks for its own."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        urls = [one["request"]["url"] for one in sent if one["documentURL"].startswith("file:")]
        return [url for url in urls if url != "data:,"]

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        (found,) = self.all(selector)
        return found

    def click(self, selector: str) -> None:
        """Click where the element is, as a hand would."""
        element = self.one(selector)
        self.run("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", element)
        self._actions().move_to_element(element).click().perform()

    def press(self, *keys: str) -> None:
        self._actions().send_keys(*keys).perform()

    def _actions(self) -> Any:
        from selenium.webdriver import ActionChains  # noqa: PLC0415 - it may be missing

        return ActionChains(self.driver)

    def text(self, selector: str) -> str:
        """Return what is shown of an element, on one line."""
        return " ".join(self.one(selector).text.split())

    def shown_panels(self) -> list[str | None]:
        return [panel.get_attribute("data-panel") for panel in self.all(".panel") if panel.is_displayed()]


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Start a Chromium of its own, with a fresh profile, and end it."""
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
