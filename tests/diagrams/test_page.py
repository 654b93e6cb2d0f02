"""The HTML page in Chromium."""

import attrs
import pytest
from browser import DOWN, END, ENTER, HOME, LEFT, RIGHT, SPACE, TAB, UP, Browser, chromium
from diagram_cases import CASES, PLAIN
from hostile_diagrams import HOSTILE

from session_fsm import State
from session_fsm.diagrams.html import page as html
from session_fsm.diagrams.model import HistoryEntry, Overlay, RuleText
from session_fsm.diagrams.svg import picture as svg

SCRIPT = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
SHOWN = ".panel:not([hidden])"


def page(name: str) -> str:
    case = CASES[name]
    return html.render(case.diagram, case.overlay, detail=case.detail)


class TestLoading:
    """The page is self-contained and fits the screen."""

    @pytest.mark.parametrize("name", CASES)
    def test_a_page_loads_without_errors_or_requests(self, browser: Browser, name: str) -> None:
        browser.open(page(name))
        assert browser.run("return document.body.classList.contains('plays')")
        assert browser.log() == []
        assert [url.rpartition("/")[2] for url in browser.requested()] == ["page.html"]

    @pytest.mark.parametrize("name", ["plain", "refused", "travelled", "tested", "plain-simple"])
    @pytest.mark.parametrize("width", [320, 360, 830, 1440])
    def test_the_page_is_never_wider_than_the_screen(self, browser: Browser, name: str, width: int) -> None:
        browser.open(page(name), width=width)
        assert browser.run("return document.scrollingElement.scrollWidth") <= width

    def test_hostile_text_does_not_widen_the_page(self, browser: Browser) -> None:
        rules = (RuleText(code="x" * 300, text="y" * 300),)
        edges = tuple(attrs.evolve(one, rules=("x" * 300,)) for one in PLAIN.edges)
        diagram = attrs.evolve(PLAIN, title="W" * 300, class_name="z" * 300, rules=rules, edges=edges)
        entries = (HistoryEntry(text="m" * 300, state=State.OPEN, refused=True),)
        overlay = Overlay(current=State.OPEN, refused={"T-04": ("r" * 300,)}, subject="s" * 300, history=entries)
        for width in (360, 1440):
            browser.open(html.render(diagram, overlay, detail="full"), width=width)
            assert browser.run("return document.scrollingElement.scrollWidth") <= width

    def test_on_a_phone_the_page_shows_that_the_picture_scrolls(self, browser: Browser) -> None:
        browser.open(page("plain"), width=390)
        assert browser.one(".swipe").is_displayed()
        assert self.faded(browser) == ("0px", "3rem")
        for x, sides in ((100, ("3rem", "3rem")), (1000, ("3rem", "0px")), (0, ("0px", "3rem"))):
            browser.run("document.querySelector('.scroll').scrollLeft = arguments[0]", x)
            browser.frame()
            assert self.faded(browser) == sides
        browser.open(page("plain"), width=1280)
        assert not browser.one(".swipe").is_displayed()
        assert self.faded(browser) == ("", "")

    def test_without_scripts_the_picture_fades_at_the_right(self) -> None:
        with chromium("--blink-settings=scriptEnabled=false") as browser:
            browser.open(page("plain"), width=390)
            assert browser.one(".swipe").is_displayed()
            fading = browser.one(".scroll").value_of_css_property("mask-image")
            assert fading.startswith("linear-gradient(to right, rgba(0, 0, 0, 0), rgb(0, 0, 0) 0px,")
            assert fading.endswith(" calc(100% - 48px), rgba(0, 0, 0, 0))")

    @staticmethod
    def faded(browser: Browser) -> tuple[str, str]:
        look = "const look = getComputedStyle(document.querySelector('.scroll'));"
        left, right = browser.run(f"{look} return ['--left', '--right'].map((side) => look.getPropertyValue(side))")
        return left, right

    def test_the_page_supports_dark_mode(self, browser: Browser) -> None:
        look = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        for scheme, ground in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(15, 21, 29)")):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            browser.command("Emulation.setEmulatedMedia", features=features)
            browser.open(page("plain"))
            assert browser.run(look, "html", "backgroundColor") == ground
            assert browser.run(look, ".fsm > rect", "fill") == ground
        browser.command("Emulation.setEmulatedMedia", features=[])

    def test_a_printed_page_shows_all_panels_and_no_buttons(self, browser: Browser) -> None:
        browser.open(page("travelled"))
        browser.command("Emulation.setEmulatedMedia", media="print")
        assert browser.shown_panels() == ["new", *State]
        assert not any(button.is_displayed() for button in browser.all("button"))
        browser.command("Emulation.setEmulatedMedia", media="")

    def test_without_scripts_everything_is_shown(self) -> None:
        with chromium("--blink-settings=scriptEnabled=false") as browser:
            browser.open(page("travelled"))
            assert browser.log() == []
            assert not browser.all("body.plays")
            assert browser.shown_panels() == ["new", *State]
            for name in ("picture", "states", "board", "history", "table", "rules"):
                assert browser.one(f"#{name}").is_displayed()
            assert not any(part.is_displayed() for part in browser.all(".play"))
            assert "Only open sessions can be updated" in browser.text("#board")
            assert "Step 11 return_items" in browser.text("#history")
            assert len(browser.all("#table tbody tr")) == len(PLAIN.edges)


class TestFollowingTransitions:
    """The reader follows transitions from state to state."""

    def test_clicking_transitions_shows_their_target_states(self, browser: Browser) -> None:
        browser.open(page("plain"))
        assert browser.shown_panels() == ["new"]
        steps = [
            ("T-01", "open", "create: now open. From here: update, close, cancel."),
            ("T-03", "open", "update: now open. From here: update, close, cancel."),
            ("T-04", "closed", "close: now closed. From here: cancel, return_items, reopen."),
            ("T-07", "partially_returned", "return_items: now partially_returned. From here: cancel, return_items."),
            ("T-10", "partially_returned", "return_items: now partially_returned. From here: cancel, return_items."),
            ("T-09", "cancelled", "cancel: now cancelled. No transition leaves this state."),
        ]
        for number, state, said in steps:
            browser.click(f"{SHOWN} [data-follow='{number}']")
            assert browser.shown_panels() == [state]
            assert browser.text("#said") == said
            assert browser.one(".fsm .is-here").get_attribute("data-state") == state
            assert browser.one(".fsm .is-marked").get_attribute("data-edge") == number
            assert browser.run("return document.activeElement.id") == f"state-{state}"
        path = "new → create → open → update → open → close → closed → return_items → partially_returned"
        assert browser.text("#trail") == f"{path} → return_items → partially_returned → cancel → cancelled"
        assert "No transition leaves this state." in browser.text(SHOWN)

    def test_edges_and_states_of_the_picture_can_be_clicked(self, browser: Browser) -> None:
        browser.open(page("plain"))
        browser.click(".fsm [data-edge='T-02'] > rect")
        assert browser.shown_panels() == ["closed"]
        browser.click(".fsm [data-edge='T-08'] > rect")
        assert browser.shown_panels() == ["open"]
        browser.click(".fsm [data-edge='T-09'] > rect")  # it does not leave this state
        assert browser.shown_panels() == ["open"]
        browser.click(".fsm [data-state='partially_returned'] > rect")
        assert browser.shown_panels() == ["partially_returned"]
        assert browser.text("#said") == "In partially_returned. From here: cancel, return_items."

    def test_only_edges_that_leave_the_shown_state_are_buttons(self, browser: Browser) -> None:
        browser.open(page("plain"))
        browser.click("[data-pick='closed']")
        exits = [shape.get_attribute("data-edge") for shape in browser.all(".fsm [data-edge][role=button]")]
        assert exits == ["T-06", "T-07", "T-08"]
        assert [shape.get_attribute("data-edge") for shape in browser.all(".fsm .is-exit[tabindex='0']")] == exits

    def test_undo_and_restart(self, browser: Browser) -> None:
        browser.open(page("plain"))
        assert browser.one("#undo").get_attribute("disabled")
        browser.click("[data-pick='open']")
        browser.click(f"{SHOWN} [data-follow='T-04']")
        browser.click(f"{SHOWN} [data-follow='T-06']")
        browser.click("#undo")
        assert browser.shown_panels() == ["closed"]
        browser.click("#undo")
        assert browser.shown_panels() == ["open"]
        assert browser.run("return document.activeElement.id") == "restart"
        browser.press(ENTER)
        assert browser.shown_panels() == ["new"]
        assert browser.text("#said") == "No session yet. From here: create."

    def test_the_page_works_with_the_keyboard(self, browser: Browser) -> None:
        browser.open(page("plain"))
        browser.run("document.querySelector(\"[data-follow='T-02']\").focus()")
        browser.press(ENTER)
        assert browser.shown_panels() == ["closed"]
        browser.press(TAB)
        assert browser.run("return document.activeElement.dataset.follow") == "T-06"
        assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
        browser.run("document.querySelector(\".fsm [data-edge='T-08']\").focus()")
        browser.press(SPACE)
        assert browser.shown_panels() == ["open"]
        assert browser.run("return document.activeElement.dataset.state") == "open"
        browser.press(ENTER)
        assert browser.text("#said").startswith("In open.")

    def test_a_url_fragment_selects_the_state(self, browser: Browser) -> None:
        browser.open(page("plain"))
        address = browser.run("return location.href")
        browser.driver.get("about:blank")
        browser.driver.get(f"{address}#state-closed")
        assert browser.shown_panels() == ["closed"]

    def test_on_a_narrow_screen_the_shown_state_scrolls_into_view(self, browser: Browser) -> None:
        browser.open(page("plain"), width=360)
        browser.click("[data-pick='partially_returned']")
        box = "const box = document.querySelector('.fsm .is-here').getBoundingClientRect();"
        left, right = browser.run(f"{box} return [box.left, box.right]")
        assert left >= 0
        assert right <= 360


class TestSession:
    """With a session or events, the page shows its state and history."""

    def test_the_page_opens_in_the_current_state_with_the_reasons(self, browser: Browser) -> None:
        browser.open(page("refused"))
        assert browser.shown_panels() == ["open"]
        shown = browser.text(SHOWN)
        assert "✗ refused now: A session must hold a coupon code by the time it closes." in shown
        assert "reopen: Only closed sessions can be reopened" in shown
        assert "close ✗ refused A session must hold a coupon code by the time it closes." in browser.text("#board")

    def test_buttons_step_through_the_history(self, browser: Browser) -> None:
        browser.open(page("travelled"))
        assert browser.text("#moments [aria-current]").startswith("Step 11")
        browser.click("[data-step='first']")
        assert browser.shown_panels() == ["open"]
        assert browser.text("#step") == "Step 1: create: new -> open (talon_session_created)"
        assert browser.one("[data-step='back']").get_attribute("aria-disabled") == "true"
        for _ in range(6):
            browser.click("[data-step='next']")
        assert browser.text("#step").startswith("After 6: close is refused: Only open sessions can be closed")
        assert browser.shown_panels() == ["closed"]
        browser.click("[data-step='back']")
        assert browser.text("#step").startswith("Step 6: close: open -> closed")
        assert browser.one(".fsm .is-marked").get_attribute("data-edge") == "T-04"
        browser.click("[data-step='last']")
        assert browser.text("#moments [aria-current]").startswith("Step 11")

    @pytest.mark.parametrize("place", ["#moments", "[data-step='next']"])
    def test_keys_step_through_the_history(self, browser: Browser, place: str) -> None:
        browser.open(page("travelled"))
        browser.run("document.querySelector(arguments[0]).focus()", place)
        browser.press(HOME)
        for key, step in (
            (LEFT, "Step 1:"),
            (RIGHT, "Step 2:"),
            (DOWN, "Step 3:"),
            (UP, "Step 2:"),
            (END, "Step 11:"),
            (RIGHT, "Step 11:"),
        ):
            browser.press(key)
            assert browser.text("#step").startswith(step)
        assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"

    def test_a_history_entry_can_be_clicked(self, browser: Browser) -> None:
        browser.open(page("travelled"))
        browser.click("#moments li:nth-child(8)")
        assert browser.text("#step").startswith("Step 7: reopen")
        assert browser.shown_panels() == ["open"]

    def test_changes_are_announced_to_screen_readers(self, browser: Browser) -> None:
        browser.open(page("travelled"))
        for name in ("said", "step"):
            assert browser.one(f"#{name}").aria_role == "status"


class TestSafe:
    """No text is executed as a script."""

    @pytest.mark.parametrize("text", [SCRIPT, HOSTILE], ids=["script", "everything"])
    def test_a_hostile_text_runs_no_script(self, browser: Browser, text: str) -> None:
        diagram = attrs.evolve(
            PLAIN,
            title=text,
            class_name=text,
            rules=(RuleText(code=text, text=text),),
            edges=tuple(attrs.evolve(one, rules=(text,)) for one in PLAIN.edges),
        )
        entries = (
            HistoryEntry(text=text, state=State.OPEN),
            HistoryEntry(text=text, state=State.OPEN, refused=True, at=text),
        )
        overlay = Overlay(
            current=State.OPEN, subject=text, refused={"T-04": (text,)}, history=entries, steps=(("T-01",),)
        )
        browser.open(html.render(diagram, overlay, detail="full"))
        browser.press(TAB)
        browser.click("[data-step='first']")
        assert browser.run("return document.title") != "ran"
        assert browser.all("img") == []
        assert len(browser.all("script")) == 2
        browser.open(svg.render(diagram, overlay, detail="full"), "picture.svg")
        assert browser.run("return document.querySelectorAll('script, img').length") == 0
