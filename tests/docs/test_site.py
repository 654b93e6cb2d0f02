"""Tests of the documentation site: build, generated reference, links, browser, and comparison."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs
import pytest
from browser import Browser, chromium
from tools import node_module, program, unmeasured

from session_fsm import SessionFSMError, rule
from session_fsm.lifecycle import TABLE
from session_fsm.rules import BUILT_IN
from session_fsm.states import MEANING_OF_STATE, MEANING_OF_TRIGGER, EventName
from session_fsm.validators import wire_name
from session_fsm.wire.kinds import KINDS

html5lib = pytest.importorskip("html5lib", reason="pages are read with the package html5lib")
for needed in ("furo", "myst_parser", "towncrier"):
    pytest.importorskip(needed, reason="the site is built with the extra docs")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PYTHON = [sys.executable, "-P"]  # so that what is installed is documented, and not what lies around


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as CONTRIBUTING.md says."""
    command = [*PYTHON, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-E", "-d", target / "trees", source, target]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, env=unmeasured()
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = build(DOCS, target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return target


@cache
def tree(file: Path) -> Any:
    return html5lib.parse(file.read_text(encoding="utf-8"), namespaceHTMLElements=False)


@cache
def anchors(file: Path) -> set[str]:
    return {element.get("id") for element in tree(file).iter()}


# Sphinx makes quotation marks typographic, and puts a sign that links to it beside each heading.
_PLAIN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00b6": " "})


def words(element: Any) -> str:
    """Return the text of an element in one line."""
    return " ".join("".join(element.itertext()).translate(_PLAIN).split())


def text_of(site: Path, page: str) -> str:
    return words(tree(site / f"{page}.html").find(".//article"))


def rows_of(site: Path, page: str) -> list[list[str]]:
    return [[words(cell) for cell in row.findall("td")] for row in tree(site / f"{page}.html").iter("tr")]


def without_markup(docstring: str) -> str:
    """Return a docstring as a reader sees it, in typewriter letters and quotes of one kind."""
    return re.sub(r"`+~?(?:\w+\.)*(\w[^`]*)`+", r"\1", docstring)


class TestReference:
    """A new row, rule, field, error, option or name appears automatically."""

    @pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
    def test_has_every_transition(self, site: Path, row: Any) -> None:
        (found,) = [cells for cells in rows_of(site, "reference/transitions") if cells[:1] == [row.id]]
        assert found[1] == row.trigger
        assert found[2] == f"{row.source or '(new)'} → {row.target}"
        assert found[4] == row.event_name
        assert found[5] == row.authority
        assert not row.note or f"{row.id}: {row.note}" in text_of(site, "reference/transitions")

    def test_describes_states_and_triggers(self, site: Path) -> None:
        text = text_of(site, "reference/transitions")
        for meaning in [*MEANING_OF_STATE.values(), *MEANING_OF_TRIGGER.values()]:
            assert meaning in text

    @pytest.mark.parametrize("one", BUILT_IN, ids=lambda one: one.code)
    def test_has_every_rule(self, site: Path, one: Any) -> None:
        text = text_of(site, "reference/rules")
        (number,) = re.findall(r"Rule (L-\d\d)", one.function.__doc__)
        described = text[text.index(f"{one.code} {one.text}") :].partition(number)[0]
        assert f"Guards {', '.join(one.on)}. Looks at {', '.join(one.parameters)}." in described

    def test_has_every_optional_rule(self, site: Path) -> None:
        text = text_of(site, "reference/rules")
        optional = extension("reference").optional_rules()
        assert {one.code for one, _ in optional.values()} >= {"coupon_code_required", "price_missing"}
        for name, (one, _) in optional.items():
            described = text[text.index(f"{one.code} {one.text}") :]
            assert f"Switched on with session_fsm.rules.{name}. O-" in described

    def test_finds_a_new_rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        @rule("too_late", on=["close"])
        def order_is_in_time(now: Any) -> bool:
            """An order is in time."""
            return bool(now)

        rules = import_module("session_fsm.rules")
        monkeypatch.setattr(rules, "order_is_in_time", order_is_in_time, raising=False)
        monkeypatch.setattr(rules, "__all__", [*rules.__all__, "order_is_in_time"])
        assert extension("reference").optional_rules()["order_is_in_time"][0] is order_is_in_time

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_has_every_field_and_what_it_means(self, site: Path, kind: Any) -> None:
        page = tree(site / "reference/fields.html")
        (section,) = [one for one in page.iter("section") if one.get("id") == kind.__name__.lower()]
        rows = {
            words(row[0]): (words(row[1]), words(row[2])) for row in section.iter("tr") if row.find("td") is not None
        }
        for field in attrs.fields(kind):
            names = {field.name: None, wire_name(field.name): None}
            if not field.name.startswith("_"):
                holds, meaning = rows.pop(" ".join(names))
                assert holds
                assert len(meaning) > len("units.")
        assert rows == {}

    def test_marks_read_only_fields(self, site: Path) -> None:
        rows = {row[0]: row[1] for row in rows_of(site, "reference/fields") if row}
        assert rows["catalog_item_id catalogItemID"] == "integer, or none, read-only"
        assert rows["sku"] == "text, or none"  # that of a returned item, which stands last
        assert rows["returned_cart_items returnedCartItems"] == "list of ReturnedCartItem, required"

    def test_has_every_error(self, site: Path) -> None:
        text = text_of(site, "reference/errors")

        def check(kind: type) -> None:
            assert f"{kind.__name__}" in text
            assert without_markup(str(kind.__doc__).partition("\n")[0]) in text
            for finer in kind.__subclasses__():
                if finer.__module__.startswith("session_fsm."):
                    check(finer)

        check(SessionFSMError)

    def test_has_every_event(self, site: Path) -> None:
        rows = {row[0]: row[2] for row in rows_of(site, "reference/events") if row}
        assert rows == {
            name: ", ".join(row.id for row in TABLE if row.event_name is name) for name in map(EventName, EventName)
        }

    def test_has_every_command_and_option(self, site: Path) -> None:
        import click  # noqa: PLC0415 - it may be missing

        from session_fsm.cli import COMMANDS, command  # noqa: PLC0415 - it needs click

        anchors = {element.get("id") for element in tree(site / "reference/command-line.html").iter()}
        text = text_of(site, "reference/command-line").replace('"', "")
        for name in COMMANDS:
            found = command.get_command(click.Context(command), name)
            assert found is not None
            assert f"session-fsm-{name}" in anchors
            assert words_of_help(found.help).replace('"', "") in text  # a command in quotation marks is code
            for option in found.params:
                if isinstance(option, click.Option):
                    assert set(option.opts) & {word.strip(":,") for word in text.split()} == set(option.opts)

    def test_has_every_public_name_once_and_with_a_text(self, site: Path) -> None:
        described = {}
        for file in (site / "reference/api").glob("*.html"):
            for entry in tree(file).iter("dl"):
                if (entry.get("class") or "").startswith("py"):
                    terms = [term for term in entry.findall("dt") if term.get("id")]  # an overload has none
                    for term, text in zip(terms, entry.findall("dd"), strict=True):
                        described.setdefault(term.get("id"), []).append(words(text))
        homes = extension("api").homes()
        del homes["session_fsm.signatures"]  # a docstring there would stand before those of the verbs
        for place, names in homes.items():
            for name in names:
                (text,) = described[f"{place}.{name}"]
                assert text, f"{place}.{name}"

    def test_a_page_links_the_public_names_that_it_writes_as_code(self, site: Path) -> None:
        links = {words(link): link.get("href") for link in tree(site / "reference/errors.html").iter("a")}
        assert links["WrongState"] == "api/session_fsm.html#session_fsm.WrongState"
        assert links["session_fsm.wire.http_status"] == "api/wire.html#session_fsm.wire.http_status"

    def test_signatures_show_the_values_of_defaults(self, site: Path) -> None:
        """Those of an ``__init__`` that attrs generates too, whose source shows something else."""
        shown = [words(term) for file in (site / "reference/api").glob("*.html") for term in tree(file).iter("dt")]
        assert [signature for signature in shown if "attr_dict" in signature or "= NOTHING" in signature] == []
        (item,) = [signature for signature in shown if signature.startswith("class CartItem(")]
        assert "quantity: int," in item
        assert "name: str | None = None," in item

    def test_every_public_module_has_a_page(self) -> None:
        pages = "\n".join(file.read_text(encoding="utf-8") for file in (DOCS / "reference/api").glob("*.md"))
        assert sorted(re.findall(r"public-names:: (\S+)", pages)) == sorted(extension("api").PAGES)


def words_of_help(text: str | None) -> str:
    return " ".join((text or "").split())


def extension(name: str) -> Any:
    """Import an extension of the site."""
    if str(DOCS) not in sys.path:
        sys.path.insert(0, str(DOCS))
    return import_module(f"_ext.{name}")


def internal_links(file: Path) -> Iterator[tuple[Path, str]]:
    for link in tree(file).iter("a"):
        address = urlsplit(link.get("href") or "")
        if not address.scheme and not address.netloc:
            target = (file.parent / unquote(address.path)).resolve() if address.path else file
            yield target, unquote(address.fragment)


class TestPages:
    def test_every_internal_link_has_a_target(self, site: Path) -> None:
        pages = [file for file in site.rglob("*.html") if "_static" not in file.parts]
        links = {(file, *link) for file in pages for link in internal_links(file)}
        assert len(links) > 1000
        for file, target, fragment in links:
            assert target.exists(), f"{file}: {target}"
            if fragment and target.suffix == ".html":
                assert fragment in anchors(target), f"{file}: {target}#{fragment}"

    def test_every_page_is_in_the_sidebar_once(self, site: Path) -> None:
        (sidebar,) = [one for one in tree(site / "index.html").iter("div") if one.get("class") == "sidebar-tree"]
        pages = [link.get("href") for link in sidebar.iter("a")]
        assert len(pages) > 60
        assert sorted(pages) == sorted(set(pages))

    def test_no_external_resources_are_loaded(self, site: Path) -> None:
        for file in site.rglob("*.html"):
            for name, attribute in (("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src")):
                for element in tree(file).iter(name):
                    assert not urlsplit(element.get(attribute) or "").netloc, file

    def test_a_rule_number_links_to_its_rule(self, site: Path) -> None:
        links = [link for link in tree(site / "explanation/lifecycle.html").iter("a") if words(link) == "D-06"]
        assert {link.get("href") for link in links} == {"../domain.html#d-06"}
        (row,) = [row for row in tree(site / "domain.html").iter("tr") if row.get("id") == "d-06"]
        assert "WrongState.already" in words(row)

    def test_sources_lists_observed_and_chosen_rules(self, site: Path) -> None:
        numbers = {row[0] for row in rows_of(site, "explanation/sources") if row}
        domain = (DOCS / "domain.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| ([A-Z]-\d\d) \|.*\| ([^|]*) \|$", domain, flags=re.MULTILINE)
        assert numbers == {number for number, word in rows if re.search(r"\b[OC]\b", word)}
        assert {"T-10", "M-03", "M-05"} <= numbers

    def test_the_changelog_has_every_fragment(self, site: Path) -> None:
        text = text_of(site, "changelog").replace("*", "")
        fragments = list((ROOT / "changelog.d").glob("*.md"))
        for fragment in fragments:
            assert words_of_help(re.sub("[`*]", "", fragment.read_text(encoding="utf-8"))) in text
        assert ("Unreleased" in text) == bool(fragments)

    def test_diagrams_are_part_of_the_page(self, site: Path) -> None:
        for page in ("index", "reference/transitions"):
            assert len(list(tree(site / f"{page}.html").iter("{http://www.w3.org/2000/svg}svg"))) + len(
                list(tree(site / f"{page}.html").iter("svg"))
            ), page

    def test_an_unknown_rule_number_fails_the_build(self, tmp_path: Path) -> None:
        (tmp_path / "conf.py").write_text(
            f"import sys\nsys.path.insert(0, {str(DOCS)!r})\nextensions = ['myst_parser', '_ext.domain']\n",
            encoding="utf-8",
        )
        (tmp_path / "domain.md").write_text(
            "# Rules\n\n| | rule | word |\n| --- | --- | --- |\n| D-01 | one | D |\n", encoding="utf-8"
        )
        (tmp_path / "index.md").write_text("# Page\n\nSee D-01.\n\n```{toctree}\ndomain\n```\n", encoding="utf-8")
        assert build(tmp_path, tmp_path / "right").returncode == 0
        (tmp_path / "index.md").write_text("# Page\n\nSee D-02.\n\n```{toctree}\ndomain\n```\n", encoding="utf-8")
        done = build(tmp_path, tmp_path / "wrong")
        assert done.returncode == 1
        assert "domain has no rule D-02" in done.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


_OVERFLOWING = """
    const scrolls = (element) => element.tagName !== "ARTICLE" && (
        ["auto", "scroll"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.querySelectorAll("article *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element))
        .map((element) => element.outerHTML.slice(0, 100));
"""


_SEARCH = """
    const results = Search._performSearch(...Search._parseQuery(arguments[0]));
    return results.map(([page, title, anchor]) => `${page} ${title} ${anchor}`);
"""


_LOW_CONTRAST = """
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => numbers(colour).slice(0, 3)
        .map((part) => part / 255)
        .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const paper = (element) => {
        const colour = getComputedStyle(element).backgroundColor;
        return (numbers(colour)[3] ?? 1) === 1 ? colour : paper(element.parentElement);
    };
    const contrast = (element) => {
        const both = [light(getComputedStyle(element).color), light(paper(element))];
        return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    };
    return [...document.querySelectorAll("article .highlight span")]
        .filter((element) => element.textContent.trim() && contrast(element) < 4.5)
        .map((element) => element.outerHTML);
"""


class TestInABrowser:
    @pytest.mark.parametrize("width", [390, 1280])
    def test_no_page_overflows(self, site: Path, browser: Browser, width: int) -> None:
        """What is wider than the screen is scrolled by itself, and the text around it never is."""
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.command("Emulation.setDeviceMetricsOverride", **size)
        for file in sorted(site.rglob("*.html")):
            browser.driver.get(file.as_uri())
            assert browser.run("return document.documentElement.scrollWidth") <= width, file
            assert browser.run(_OVERFLOWING) == [], file

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_code_has_enough_contrast(self, site: Path, browser: Browser, theme: str) -> None:
        """The contrast is the one that WCAG 2 asks of small text."""
        for page in ("tutorial", "testing/mutants", "testing/scenarios", "explanation/machine", "replay-format"):
            browser.driver.get((site / f"{page}.html").as_uri())
            browser.run(f"document.body.dataset.theme = '{theme}'")
            assert browser.all("article .highlight span"), page
            assert browser.run(_LOW_CONTRAST) == [], page

    def test_search_works_without_a_network(self, site: Path, browser: Browser) -> None:
        browser.command("Network.enable")
        browser.command(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
        )
        browser.driver.get(f"{(site / 'search.html').as_uri()}?q=ambiguous_sku")
        browser.driver.implicitly_wait(20)
        found = browser.driver.find_element("css selector", "#search-results li a")
        assert "ambiguous_sku" in found.text or "Rules and codes" in found.text

    def test_search_finds_every_public_name_code_event_and_command(self, site: Path, browser: Browser) -> None:
        """A result has the name in its title or anchor; for events and commands it is their page."""
        from session_fsm.cli import COMMANDS  # noqa: PLC0415 - it needs click

        names = {name for names in extension("api").homes().values() for name in names}
        codes = {one.code for one in BUILT_IN} | {
            one.code for one, _ in extension("reference").optional_rules().values()
        }
        browser.driver.get(f"{(site / 'search.html').as_uri()}?q=board")
        browser.driver.implicitly_wait(20)
        browser.driver.find_element("css selector", "#search-results li a")  # the index is there
        for name in sorted({*names, *codes, *MEANING_OF_TRIGGER, *EventName, *COMMANDS, "wrong_state", "rule_failed"}):
            found = browser.run(_SEARCH, str(name))
            if name in {*EventName, *COMMANDS}:
                page = "reference/events " if name in set(EventName) else "reference/command-line "
                assert any(result.startswith(page) for result in found), name
            else:
                assert any(name in result.partition(" ")[2] for result in found), name

    @pytest.mark.parametrize(("theme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(15, 21, 29)")])
    def test_diagrams_follow_the_selected_theme(self, site: Path, browser: Browser, theme: str, paper: str) -> None:
        for page in ("index", "explanation/architecture"):
            browser.driver.get((site / f"{page}.html").as_uri())
            browser.run(f"document.body.dataset.theme = '{theme}'")
            script = "return getComputedStyle(document.querySelector('.fsm .f-paper')).fill"
            assert browser.run(script) == paper, page


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, str]]:
    for needed in ("automat", "django_fsm", "sismic", "statemachine", "xstate_statemachine"):
        pytest.importorskip(needed, reason="each library is asked itself")
    command = [*PYTHON, "-W", "error", "peers.py", "--json"]
    env = {"PYTHONPATH": str(DOCS / "comparison"), "PATH": ""}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=DOCS / "comparison", env=env)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


class TestComparison:
    """The tables of the comparison are what the libraries themselves answer."""

    @staticmethod
    def column(library: str) -> dict[str, str]:
        lines = (DOCS / "comparison.md").read_text(encoding="utf-8").splitlines()
        table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
        (place,) = [place for place, name in enumerate(table[0]) if name.partition(" ")[0] == library]
        rows = [row for row in table if len(row) == len(table[0]) and row[0] not in ("", "---")]
        return {row[0]: row[place] for row in rows}

    def test_holds_for_every_python_library(self, answers: dict[str, dict[str, str]]) -> None:
        assert len(answers) == 7
        for library, answer in answers.items():
            assert self.column(library) == answer, library

    def test_holds_for_xstate(self, answers: dict[str, dict[str, str]]) -> None:
        modules = node_module("xstate/package.json").parent.parent
        command = [program("node"), DOCS / "comparison/xstate.mjs", modules.parent]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        sys.path.insert(0, str(DOCS / "comparison"))
        try:
            asking = import_module("asking")
        finally:
            sys.path.remove(str(DOCS / "comparison"))
        questions = asking.QUESTIONS | asking.TOOLS
        column = self.column("XState")
        assert {sentence: found.get(question, "") for question, sentence in questions.items()} == column
        assert set(column) == set(answers["session-fsm"])

    def test_the_memory_of_a_machine_matches_the_page(self) -> None:
        command = [*PYTHON, DOCS / "comparison/cost_of_machines.py", "200"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        sizes = [float(size) for size in re.findall(r"([\d.]+) kB", done.stdout)]
        page = (DOCS / "explanation/machine.md").read_text(encoding="utf-8")
        stated = [float(size) for size in re.findall(r"\| ([\d.]+) kB \|", page)]
        # Versions of Python differ a little in the size of things.
        assert sizes == pytest.approx(stated, rel=0.35)
