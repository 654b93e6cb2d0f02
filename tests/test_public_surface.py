"""The names that other people's code imports, and what importing them costs."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from importlib.resources import files

import pytest

import session_fsm
from session_fsm import wire

PUBLIC = {
    *("CustomerSession", "State", "Trigger", "EventName"),
    *("CartItem", "AdditionalCost", "Product", "ReturnedCartItem", "ExperimentVariantAllocation", "SessionUpdate"),
    *("UNSET", "SessionEvent", "Decision", "Rule", "Violation", "rule"),
    *(
        "SessionFSMError",
        "TransitionRefused",
        "WrongState",
        "RuleViolated",
        "InvalidValue",
        "WireError",
        "ConcurrentChange",
    ),
}
MODULES = [
    module.name
    for module in pkgutil.walk_packages(session_fsm.__path__, "session_fsm.")
    if not module.name.endswith("__main__")
]


_OF_A_FOLDER = {name for name in vars(import_module("session_fsm.testing.model")) if name.startswith("__")}


def test_the_package_offers_exactly_its_public_names() -> None:
    assert set(session_fsm.__all__) == PUBLIC
    assert all(hasattr(session_fsm, name) for name in PUBLIC)


@pytest.mark.parametrize(
    "name",
    [
        *("loads", "dumps", "structure", "unstructure", "make_converter", "ReturnRequest"),
        *("to_error_response", "from_error_response", "http_status", "ErrorResponse", "json_schema"),
    ],
)
def test_the_wire_offers_its_public_names(name: str) -> None:
    assert name in wire.__all__
    assert callable(getattr(wire, name))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_offers_and_has_it(name: str) -> None:
    try:
        module = import_module(name)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{name} needs {missing.name}, which is an extra of its own")
    assert module.__doc__
    if hasattr(module, "__path__") and not hasattr(module, "__all__"):  # a folder of modules, which offer the names
        assert set(vars(module)) - {one.name for one in pkgutil.iter_modules(module.__path__)} <= _OF_A_FOLDER
        return
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, offered) for offered in module.__all__)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert session_fsm.__version__.count(".") >= 2
    with pytest.raises(AttributeError, match="no attribute 'versoin'"):
        session_fsm.versoin  # noqa: B018 - to look is the test


def test_types_ship_with_the_package() -> None:
    assert files("session_fsm").joinpath("py.typed").is_file()


def test_importing_the_package_loads_nothing_that_only_a_part_of_it_needs() -> None:
    spared = (
        "cattrs",
        "msgspec",
        "pydantic",
        "pydantic_core",
        "opentelemetry",
        "hypothesis",
        "pytest",
        "click",
        "rich",
        "graphviz",
        "sphinx",
        "sqlalchemy",
        "django",
        "importlib.metadata",
    )
    code = f"import sys, session_fsm; print([name for name in {spared} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_json_codec_is_loaded_when_json_is_read_or_written() -> None:
    code = (
        "import sys; from session_fsm import SessionUpdate, wire; print('msgspec' in sys.modules); "
        "wire.loads('{}', SessionUpdate); print('msgspec' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "True"]
