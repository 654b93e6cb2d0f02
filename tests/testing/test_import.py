"""Tests of the imports of the testing kit: public names, and what works without Hypothesis."""

import subprocess
import sys

import pytest

from session_fsm import testing


@pytest.mark.parametrize("name", testing.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    assert getattr(testing, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'witnesss'"):
        testing.witnesss  # noqa: B018 - to look is the test


def test_importing_the_kit_loads_neither_hypothesis_nor_pytest() -> None:
    code = "import sys, session_fsm.testing; print([m for m in ('hypothesis', 'pytest') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize("name", ["sessions", "Planted", "SessionMachine", "RuleContract"])
def test_without_hypothesis_a_name_that_needs_it_says_so(name: str) -> None:
    code = f"import sys; sys.modules['hypothesis'] = None\nfrom session_fsm.testing import given\nfrom session_fsm.testing import {name}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1] == (
        f'ModuleNotFoundError: session_fsm.testing.{name} needs Hypothesis; run: pip install "session-fsm[testing]"'
    )


def test_without_hypothesis_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("session_fsm.testing.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ModuleNotFoundError, match=r"sessions needs Hypothesis; run: pip install") as missing:
        testing.sessions  # noqa: B018 - to look is the test
    assert missing.value.name == "hypothesis"


def test_another_missing_module_is_reported_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "session_fsm.testing.strategies.documents", raising=False)
    monkeypatch.setitem(sys.modules, "session_fsm.wire.encoding", None)
    with pytest.raises(ModuleNotFoundError, match=r"session_fsm\.wire\.encoding"):
        testing.json_documents  # noqa: B018 - to look is the test


@pytest.mark.parametrize(
    ("package", "without", "still"),
    [("sqlalchemy", "StoreContract", "sessions"), ("hypothesis", "SessionMachine", "given")],
)
def test_a_star_import_leaves_out_what_needs_a_missing_package(package: str, without: str, still: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None\nfrom session_fsm.testing import *\n"
    code += f"print('given' in globals(), {still!r} in globals(), {without!r} in globals())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "True", "False"]
