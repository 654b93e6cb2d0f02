"""Tables of the documentation that are written by hand say what the code says."""

import re
import tomllib
from importlib import import_module
from importlib.util import find_spec
from inspect import isclass

import pages
import pytest

from session_fsm import (
    ConcurrentChange,
    CustomerSession,
    Decision,
    InvalidValue,
    RuleViolated,
    SessionFSMError,
    TransitionRefused,
    Violation,
    WireError,
    WrongState,
)
from session_fsm.errors import RULE_FAILED, Problem, http_status


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below *heading*, without its header."""
    text = (pages.DOCS / page).read_text(encoding="utf-8")
    below = text[text.index(f"\n## {heading}\n") :]
    table = below[below.index("\n| ") : below.index("\n\n", below.index("\n| "))]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.strip().splitlines()[2:]]


def refusal(*codes: str) -> Decision[CustomerSession]:
    """Return a decision that is refused for *codes*."""
    violations = tuple(Violation(code=code, message="no") for code in codes)
    session = CustomerSession.create("order-1")
    refused = session.evaluate("reopen")
    return type(refused)(
        trigger=refused.trigger, source=refused.source, target=None, event_name=None, violations=violations
    )


def examples() -> dict[str, SessionFSMError]:
    """Return an error for each row of the table of errors."""
    store = pytest.importorskip("session_fsm.store", reason="the table has the errors of the store")
    return {
        "`WrongState`": WrongState(refusal("wrong_state"), "order-1"),
        "`RuleViolated`": RuleViolated(refusal("x"), "order-1"),
        "`RuleViolated`, a rule raised": RuleViolated(refusal("x", RULE_FAILED), "order-1"),
        "`InvalidValue`": InvalidValue("/x", "is wrong"),
        "`WireError`": WireError([Problem("", "is wrong")]),
        "`ConcurrentChange`": ConcurrentChange("order-1"),
        "`StaleSession`": store.StaleSession("order-1"),
        "`SessionNotFound`": store.SessionNotFound("order-1"),
        "`SessionExists`": store.SessionExists("order-1"),
        "`IdempotencyConflict`": store.IdempotencyConflict("order-1"),
        "`StoreUnavailable`": store.StoreUnavailable("it is locked"),
        "`DocumentUnreadable`": store.DocumentUnreadable("order-1"),
        "`HistoryMismatch`": store.HistoryMismatch("order-1"),
        "`SchemaOutdated`": store.SchemaOutdated(None, "0001"),
    }


class TestErrors:
    HEADING = "Which status to answer, and whether to retry"

    def test_every_row_has_the_status_that_the_library_returns(self) -> None:
        found = {name: int(said) for name, said, *_ in rows("reference/errors.md", self.HEADING)}
        errors = examples()
        assert list(found) == list(errors)
        assert found == {name: http_status(error) for name, error in errors.items()}

    def test_every_error_is_on_the_page(self) -> None:
        """Bases that are never raised themselves are described below the table only."""
        text = (pages.DOCS / "reference/errors.md").read_text(encoding="utf-8")
        for module in ("session_fsm", "store", "sandbox", "testing", "backtest"):
            name = module if module == "session_fsm" else f"session_fsm.{module}"
            public = pytest.importorskip(name, reason=f"{name} is an extra")
            for error in (getattr(public, one) for one in public.__all__):
                if isclass(error) and issubclass(error, SessionFSMError) and error is not TransitionRefused:
                    assert f"`{error.__name__}`" in text or error.__name__ in ("StoreError", "SessionFSMError"), error


def test_the_page_on_installing_lists_every_extra_with_what_it_installs() -> None:
    project = tomllib.loads((pages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: set(needs) for name, needs in project["optional-dependencies"].items()}
    names = {cells[0].strip("`"): cells[2] for cells in rows("install.md", "Extras")}
    assert set(names) == set(extras) - {"docs", "test", "dev"}  # those are for contributors
    for name, said in names.items():
        if name != "all":
            packages = {re.split(r"[>=<]", need)[0] for need in extras[name]}
            shown = set(re.findall(r"`([\w.-]+)`", said))
            assert shown == {re.sub(r"session-fsm\[(\w+)\]|\[\w+\]", r"\1", package) for package in packages}, name
    assert f"session_fsm-{project['version']}-" in (pages.DOCS / "install.md").read_text(encoding="utf-8")


def test_the_decision_table_names_parts_that_exist() -> None:
    extras = tomllib.loads((pages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    commands = pytest.importorskip("session_fsm.cli", reason="the table names commands").COMMANDS
    text = (pages.DOCS / "which-part.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(lines) > 25
    for line in lines[1:]:
        part, extra = [cell.strip() for cell in line.split("|")[4:6]]
        for name in re.findall(r"`(session_fsm[\w.]*)`", part):
            module, _, attribute = name.rpartition(".")
            assert find_spec(name) or hasattr(import_module(module), attribute), name
        for name in re.findall(r"command `(\w+)`", part):
            assert name in commands
        assert set(re.findall(r"`(\w+)`", extra)) <= set(extras), extra


_COMMAND = re.compile(r"session-fsm ([a-z]+)((?: [^`\n|>]*)?)")


@pytest.mark.parametrize("page", [page for page in pages.pages() if page.startswith("docs/")])
def test_commands_in_sentences_exist_with_their_options(page: str) -> None:
    """Blocks of commands run; what stands in backticks in a sentence does not."""
    click = pytest.importorskip("click", reason="the command is an extra")
    command = import_module("session_fsm.cli").command
    context = click.Context(command)
    text = re.sub(r"^```.*?^```", "", pages.pages()[page].read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for shown in re.findall(r"`(session-fsm [^`]+)`", " ".join(text.split())):
        name, arguments = _COMMAND.match(shown).groups()  # type: ignore[union-attr]  # an error if it does not match
        found = command.get_command(context, name)
        assert found is not None, shown
        arguments = arguments.partition(" -- ")[0]
        if isinstance(found, click.Group) and (words := arguments.split()):
            found = found.get_command(context, words[0])
            assert found is not None, shown
        known = {option for parameter in found.get_params(context) for option in parameter.opts}
        assert set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", arguments)) <= known, shown
