"""The page and the Mermaid source, in a real browser: what they do there, and that Mermaid's own parser reads them."""

import json
import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from builders import session_in
from diagram_cases import CASES, travelled
from test_diagrams_text import HOSTILE, hostile_diagram

from session_fsm import CustomerSession
from session_fsm.diagrams import mermaid, render
from session_fsm.diagrams.model import Overlay

INJECTION = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'> ]]> & \" '"
HOME, END, LEFT, RIGHT = "\ue011", "\ue010", "\ue012", "\ue014"


def needed(what: Any, name: str) -> Any:
    """Return *what*, or skip where it is missing: the gate installs it all and lets nothing be skipped."""
    if not what:
        if os.environ.get("SESSION_FSM_REQUIRE_TOOLS"):
            pytest.fail(f"{name} is missing")
        pytest.skip(f"{name} is not installed")
    return what


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium that keeps what the page logs and asks for."""
    program = needed(shutil.which("chromium"), "chromium")
    driver = needed(shutil.which("chromedriver"), "chromedriver")
    needed(find_spec("selenium"), "selenium")
    webdriver = import_module("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for switch in (
        *("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"),
        *("disable-background-networking", "disable-component-update", "disable-dev-shm-usage"),
    ):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    running = webdriver.Chrome(options=options, service=service)
    yield running
    running.quit()


def visit(driver: Any, folder: Path, page: str) -> None:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    driver.get(path.as_uri())


def by(driver: Any, selector: str) -> Any:
    return driver.find_elements("css selector", selector)


class TestPage:
    def test_it_loads_without_an_error_and_without_any_request(self, chromium: Any, tmp_path: Path) -> None:
        session, events = travelled()
        visit(chromium, tmp_path, render(CustomerSession, "html", session=session, events=events))
        assert chromium.get_log("browser") == []
        messages = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
        sent = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        assert [url for url in sent if not url.startswith(("file:", "data:", "chrome:"))] == []

    def test_one_can_follow_an_order_through_its_life(self, chromium: Any, tmp_path: Path) -> None:
        visit(chromium, tmp_path, render(CustomerSession, "html"))
        for row, state in (("T-01", "open"), ("T-04", "closed"), ("T-07", "partially_returned"), ("T-09", "cancelled")):
            shown = [link for link in by(chromium, f'[data-follow="{row}"]') if link.is_displayed()]
            assert shown, row
            shown[0].click()
            panels = [part.get_attribute("data-panel") for part in by(chromium, "[data-panel]") if part.is_displayed()]
            assert panels == [state]
        assert chromium.get_log("browser") == []

    def test_the_keyboard_steps_through_the_history(self, chromium: Any, tmp_path: Path) -> None:
        session, events = travelled()
        visit(chromium, tmp_path, render(CustomerSession, "html", session=session, events=events))
        moments, seen = by(chromium, "#moments")[0], []
        for key in (HOME, RIGHT, RIGHT, LEFT, END):
            moments.send_keys(key)
            seen.append(by(chromium, "#step")[0].text)
        first, second, third, again, last = seen
        assert first.startswith("Step 1: ")
        assert again == second
        assert len({first, second, third, last}) == 4

    def test_the_reasons_of_a_session_are_shown(self, chromium: Any, tmp_path: Path) -> None:
        session = session_in("closed")
        visit(chromium, tmp_path, render(CustomerSession, "html", session=session))
        assert session.board()["close"].violations[0].message in by(chromium, "body")[0].text

    def test_a_hostile_title_runs_no_script(self, chromium: Any, tmp_path: Path) -> None:
        visit(chromium, tmp_path, render(CustomerSession, "html", title=INJECTION))
        assert chromium.title != "owned"
        assert by(chromium, "img") == []

    def test_it_fits_a_phone(self, chromium: Any, tmp_path: Path) -> None:
        chromium.set_window_size(360, 740)
        visit(chromium, tmp_path, render(CustomerSession, "html", session=session_in("closed")))
        wide = chromium.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        chromium.set_window_size(1000, 800)
        assert wide <= 0


@pytest.fixture(scope="module")
def parse(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    modules = needed(os.environ.get("SESSION_FSM_NODE_MODULES"), "the npm package mermaid")
    library = Path(modules) / "mermaid" / "dist" / "mermaid.min.js"
    page = f'<!DOCTYPE html><meta charset="utf-8"><script src="{library.as_uri()}"></script>'
    visit(chromium, tmp_path_factory.mktemp("mermaid"), page)
    script = (
        "const [text, done] = arguments;"
        "mermaid.parse(text).then((found) => done(found.diagramType), (error) => done(`${error}`));"
    )
    return lambda text: chromium.execute_async_script(script, text)


class TestMermaid:
    """Mermaid's own parser accepts the source."""

    @pytest.mark.parametrize("name", CASES)
    def test_every_diagram_is_accepted(self, parse: Any, name: str) -> None:
        case = CASES[name]
        assert parse(mermaid.render(case.diagram, case.overlay, detail=case.detail)) == "stateDiagram"

    @pytest.mark.parametrize(
        "text", [HOSTILE, INJECTION, " ", "\x00\x07", "\ud800", "a" * 300, "%%{init: {}}%%", "---"]
    )
    def test_hostile_text_is_accepted(self, parse: Any, text: str) -> None:
        assert parse(mermaid.render(hostile_diagram(text), Overlay(), detail="full")) == "stateDiagram"

    def test_what_is_no_diagram_is_not(self, parse: Any) -> None:
        assert parse("stateDiagram-v2\n    --> : x").startswith("Error: Parse error")
