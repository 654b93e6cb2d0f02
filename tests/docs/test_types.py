"""The Python of the documentation passes mypy and pyright, both strict: what readers copy into typed code is right there."""

import re
from pathlib import Path
from typing import NamedTuple

import documented_code
import pytest
from type_checkers import CHECKERS, Complaint, complaints


class Exempt(NamedTuple):
    """Complaints that are left out: those of *rules* about lines that match, in modules that match."""

    rules: str
    module: str
    line: str
    reason: str


_PAGES = r"(?!docs\.examples\.).*"
_DJANGO = r"docs\.(examples\.django_shop\..*|pages\.howto_embed_in_django)|docstrings\.session_fsm_django"
EXEMPT = [
    Exempt(r"reportUnused(Import|Expression)", _PAGES, ".*", "an example shows what an expression is worth"),
    Exempt(r"reportPossiblyUnbound.*", _PAGES, ".*", "an example goes on only where the one before it ended well"),
    Exempt(
        r"import-untyped|misc|no-any-return|report.*",
        _DJANGO,
        ".*",
        "Django has no types, and pyright guesses; django-stubs know those of models only by a plugin of mypy",
    ),
    Exempt(r"reportUnknown.*", r"docs\.examples\..*\.tests\..*", r".*setattr\(.*lambda.*", "pytest takes any function"),
    Exempt(
        r"reportUnknown.*",
        r"docs\.(examples\.talon_client\..*|pages\.howto_call_talon_one)",
        r".*error\.status.*",
        "the official client's errors have no types",
    ),
    Exempt("misc|assignment|reportAttributeAccessIssue", ".*", r'session\.state = "closed"', "it shows the refusal"),
    Exempt("arg-type|reportArgumentType", ".*", r".*price=0\.1\)", "it shows the refusal"),
    Exempt(
        "attr-defined|reportAttributeAccessIssue|reportUnknownMemberType",
        ".*migrate_from_transitions",
        r"order\.(close\(\)|state = ).*",
        "transitions adds them at run time, where no checker sees them",
    ),
    Exempt("reportPrivateUsage", ".*", r"noted\._note.*", "it shows where the value of a private field is"),
]

MODULES = {module.name: module for module in documented_code.modules() if ".migrations." not in module.name}


def is_exempt(complaint: Complaint, line: str, exempt: Exempt) -> bool:
    asked = ((exempt.rules, complaint.rule), (exempt.module, complaint.module), (exempt.line, line.strip()))
    return all(re.fullmatch(pattern, text) for pattern, text in asked)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Complaint]:
    return complaints(tmp_path_factory.mktemp("code"), {name: module.text for name, module in MODULES.items()})


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_example_passes(checker: str, found: list[Complaint]) -> None:
    said: list[str] = []
    for one in found:
        line, place = MODULES[one.module].at(one.line)
        if one.checker == checker and not any(is_exempt(one, line, exempt) for exempt in EXEMPT):
            said.append(f"{place}: {line.strip()}\n  {one.text} [{one.rule}]")
    if said:
        pytest.fail("\n".join(said), pytrace=False)


def test_every_exemption_is_needed(found: list[Complaint]) -> None:
    places = [(one, MODULES[one.module].at(one.line)[0]) for one in found]
    assert [one for one in EXEMPT if not any(is_exempt(complaint, line, one) for complaint, line in places)] == []


def test_all_code_of_the_documentation_is_looked_at() -> None:
    """A page without its module, or with half of it, would pass."""
    assert len(MODULES) > 80
    for name in (
        "README",
        "docs.index",
        "docs.pages.howto_write_a_rule",
        "docs.pages.tutorial_files.shop_",
        "docs.examples.shop",
        "docs.examples.fastapi_shop.shop.app",
        "docstrings.session_fsm_session",
    ):
        assert any(module.startswith((name, name.replace("docs.", "docs.pages."))) for module in MODULES), name


class TestTheCodeOfAPage:
    PAGE = (
        "In `shop.py`:\n\n```py\nfirst = 1\n```\n\n```python\n>>> from shop import first\n>>> first == (\n...     1)\n"
        "True\n\n```\n\nWords.\n\n```python\nsecond: int = first\n```\n\n```sh\nls\n```\n"
    )

    def test_is_one_module_and_one_for_each_file(self) -> None:
        file, together = documented_code.from_page("docs/page.md", self.PAGE)
        assert (file.name, file.text) == ("docs.pages.page_files.shop_3", "first = 1\n")
        assert together.name == "docs.pages.page"
        assert together.text == (
            "from docs.pages.page_files.shop_3 import first\nfirst == (\n    1)\nsecond: int = first\n"
        )

    def test_remembers_where_each_line_stands(self) -> None:
        _, together = documented_code.from_page("docs/page.md", self.PAGE)
        lines = self.PAGE.splitlines()
        for number, line in enumerate(together.lines, 1):
            shown, place = together.at(number)
            file, _, where = place.partition(":")
            assert (shown, file) == (line, "docs/page.md")
            assert lines[int(where) - 1].endswith(line.split(" import ")[-1])

    def test_with_an_error_is_found_at_its_place(self, tmp_path: Path) -> None:
        """Both checkers look at pages as they look at any code."""
        (module,) = documented_code.from_page(
            "page.md", "```python\n>>> from session_fsm import CartItem\n>>> CartItem(sku=1, quantity=1)\n\n```\n"
        )
        said = complaints(tmp_path, {module.name: module.text})
        assert {
            (one.checker, module.at(one.line)[1]) for one in said if one.rule in ("arg-type", "reportArgumentType")
        } == {(checker, "page.md:3") for checker in CHECKERS}
