"""The wheel with each extra by itself, in an environment of its own: its feature works, also with the lowest versions.

``SESSION_FSM_WHEEL`` names the wheel, and the tests are skipped without it: they install from the package index.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOR_DEVELOPERS = {"docs", "test", "dev"}
WHEEL = os.environ.get("SESSION_FSM_WHEEL", "")
needs_wheel = pytest.mark.skipif(not WHEEL, reason="SESSION_FSM_WHEEL is not set")

RECORDING = """
from importlib.resources import files
recording = str(files("session_fsm") / "data" / "demo_order.jsonl")
"""
FEATURES = {
    "backtest": RECORDING
    + """
from session_fsm.backtest import backtest, backtest_sql
assert backtest(recording).refused.num_rows > 0
assert "SELECT" in backtest_sql(dialect="postgres")
""",
    "cli": """
import subprocess, sys
from pathlib import Path
def run(*arguments):
    command = [sys.executable, "-m", "session_fsm", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
assert run("--version").startswith("session-fsm ")
assert "closed" in run("demo")
Path("openapi.yaml").write_text('''
openapi: 3.1.0
paths: {"/v2/customer_sessions/{id}": {put: {requestBody: {content: {application/json: {schema: {
  properties: {customerSession: {properties: {coupon: {type: string}}}}}}}}}}}
''')
drift = subprocess.run([sys.executable, "-m", "session_fsm", "drift", "openapi.yaml"], capture_output=True, text=True)
assert drift.returncode == 1, drift
""",
    "django": """
from django.conf import settings
settings.configure()
from session_fsm import CustomerSession, wire
from session_fsm.django import ExactJsonResponse, SessionField
session = CustomerSession.create("order-1")
assert wire.loads(ExactJsonResponse(session).content).integration_id == "order-1"
assert SessionField(CustomerSession).to_python(wire.dumps(session).decode()).integration_id == "order-1"
""",
    "sandbox": """
import json
from urllib.request import Request, urlopen
from session_fsm.sandbox import Sandbox
with Sandbox() as sandbox:
    body = json.dumps({"customerSession": {"state": "closed"}}).encode()
    headers = {"Authorization": "ApiKey-v1 key", "Content-Type": "application/json"}
    with urlopen(Request(f"{sandbox.url}/v2/customer_sessions/order-1", body, headers, method="PUT")) as answer:
        assert answer.status == 200
    assert sandbox.session("order-1").state == "closed"
""",
    "spark": RECORDING
    + """
from session_fsm.backtest import backtest
if __name__ == "__main__":
    assert backtest(recording, engine="spark").refused.num_rows > 0
""",
    "sphinx": """
from pathlib import Path
from sphinx.cmd.build import main
Path("source").mkdir()
Path("source/conf.py").write_text('extensions = ["session_fsm.diagrams.sphinx"]')
Path("source/index.rst").write_text("Sessions\\n========\\n\\n.. session-fsm-diagram:: session_fsm:CustomerSession\\n")
assert main(["-q", "source", "site"]) == 0
assert "<svg" in Path("site/index.html").read_text()
""",
    "store": """
import asyncio
from session_fsm import CustomerSession
from session_fsm.store import AsyncSessionStore, SessionStore
store = SessionStore("sqlite:///orders.db")
store.create_schema()
store.add(CustomerSession.create("order-1"))
store.change("order-1", lambda session: session.close())
async def state():
    async with AsyncSessionStore("sqlite:///orders.db") as store:
        return (await store.get("order-1")).state
assert asyncio.run(state()) == "closed"
""",
    "testing": """
from pathlib import Path
import pytest
Path("test_shop.py").write_text('''
from hypothesis import HealthCheck, given, settings, strategies as st
from session_fsm import CustomerSession
from session_fsm.testing import RuleContract, SessionMachine, sessions
few = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
class TestMachine(SessionMachine.TestCase):
    kind = CustomerSession
    settings = few
@few
@given(sessions(), st.from_type(CustomerSession))
def test_shop(one, other):
    assert one.board() and other.board()
''')
arguments = ["-q", "-p", "session_fsm.testing.plugin", "--session-fsm-class", "session_fsm:CustomerSession"]
assert pytest.main([*arguments, "test_shop.py"]) == 0
""",
    # Every module can be imported, but for those of packages that are in no extra.
    "all": """
import importlib, pkgutil
import hypothesis, session_fsm
for module in pkgutil.walk_packages(session_fsm.__path__, "session_fsm."):
    if module.name.rpartition(".")[2] not in ("pydantic_types", "__main__") and ".versions." not in module.name:
        if module.name not in ("session_fsm.store.telemetry", "session_fsm.store.migrations.env"):
            importlib.import_module(module.name)
""",
}
"""For each extra a program that uses its feature."""

OTHERS = {
    "pydantic": """
from pydantic import TypeAdapter
from session_fsm import CartItem, CustomerSession
item = TypeAdapter(CartItem).validate_python({"sku": "PEN", "quantity": 2, "price": 1.5})
assert b'"sku":"PEN"' in TypeAdapter(CartItem).dump_json(item)
assert "properties" in TypeAdapter(CustomerSession).json_schema()
""",
    "opentelemetry-api": """
from session_fsm import CustomerSession, telemetry
telemetry.enable()
CustomerSession.create("order-1").close()
""",
}
"""A program for each package that the library works with and that is in no extra."""

MISSING = {
    "": {
        "from session_fsm.__main__ import main; main()": 'click is not installed; run: pip install "session-fsm[cli]"',
        "import session_fsm.backtest": 'needs pyarrow; run: pip install "session-fsm[backtest]"',
        "import session_fsm.django": 'run: pip install "session-fsm[django]"',
        "import session_fsm.sandbox": 'needs starlette; run: pip install "session-fsm[sandbox]"',
        "import session_fsm.store": 'needs sqlalchemy; run: pip install "session-fsm[store]"',
        "from session_fsm.testing import sessions": 'needs Hypothesis; run: pip install "session-fsm[testing]"',
        "from session_fsm.testing import StoreContract": 'run: pip install "session-fsm[store]"',
        "from session_fsm import telemetry; telemetry.enable()": "run: pip install opentelemetry-api",
    },
    "cli": {
        "from session_fsm.cli import command; command.main(['backtest', 'orders.jsonl'])": (
            'session-fsm: session_fsm.backtest needs pyarrow; run: pip install "session-fsm[backtest]"'
        ),
        "from session_fsm.cli import command; command.main(['sandbox'])": (
            'session-fsm: session_fsm.sandbox needs starlette; run: pip install "session-fsm[sandbox]"'
        ),
        "from session_fsm.cli import command; command.main(['store', 'init', 'sqlite:///orders.db'])": (
            'session-fsm: session_fsm.store needs sqlalchemy; run: pip install "session-fsm[store]"'
        ),
    },
    "backtest": {
        RECORDING + "from session_fsm.backtest import backtest; backtest(recording, engine='spark')": (
            'needs pyspark; run: pip install "session-fsm[spark]"'
        ),
        "from session_fsm.backtest import backtest; backtest('sqlite:///orders.db')": (
            'needs sqlalchemy; run: pip install "session-fsm[store]"'
        ),
    },
    "store": {
        "from session_fsm.store import SessionStore; SessionStore('postgresql://localhost/orders')": (
            'psycopg is not installed; run: pip install "psycopg[binary]"'
        ),
    },
}
"""For each extra, and for none, what needs another one, and how the last line of its error ends."""

Run = Callable[[str], subprocess.CompletedProcess[str]]


def environment(folder: Path, *packages: str, lowest: bool = False) -> Run:
    """Make an environment with the wheel and *packages*, and return what runs a program in it."""
    uv = [sys.executable, "-m", "uv"]
    python = folder / "venv/bin/python"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", python, *packages]
    resolution = ["--resolution", "lowest-direct"] if lowest else []
    # One program runs here, so only what it imports is compiled.
    subprocess.run([*install, *resolution], env=os.environ | {"UV_COMPILE_BYTECODE": "0"}, check=True)
    subprocess.run([*uv, "pip", "check", "--quiet", "--python", python], check=True)
    # The environment's own package, and nothing of the tests, is imported.
    variables = {name: os.environ[name] for name in ("HOME", "JAVA_HOME", "PYTHONPYCACHEPREFIX") if name in os.environ}
    variables["PATH"] = f"{python.parent}:{os.environ['PATH']}"

    def run(program: str) -> subprocess.CompletedProcess[str]:
        (folder / "program.py").write_text(program, encoding="utf-8")
        command = [python, "program.py"]
        return subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=120
        )

    return run


def requirements(extra: str) -> list[str]:
    """Return the wheel's requirements with *extra*, those of the extras that it names included."""
    found: list[str] = PROJECT["dependencies"] if not extra else []
    for requirement in PROJECT["optional-dependencies"].get(extra, []):
        name, _, rest = requirement.partition("[")
        inner = rest.rstrip("]").split(",") if name == PROJECT["name"] else []
        found += [line for other in inner for line in requirements(other)] if inner else [requirement]
    return found


def test_every_extra_has_a_program() -> None:
    assert FEATURES.keys() == PROJECT["optional-dependencies"].keys() - FOR_DEVELOPERS


@needs_wheel
@pytest.mark.parametrize("extra", FEATURES)
def test_an_extra_has_what_its_feature_needs(extra: str, tmp_path: Path) -> None:
    done = environment(tmp_path, f"{WHEEL}[{extra}]")(FEATURES[extra])
    assert done.returncode == 0, done.stdout + done.stderr


# Later Pythons have no wheels of the lowest versions. `all` is the sum of the others, and PySpark takes long.
@needs_wheel
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the lowest versions are for Python 3.11 and 3.12")
@pytest.mark.parametrize("extra", [extra for extra in FEATURES if extra not in ("all", "spark")])
def test_the_lowest_versions_of_an_extra_will_do(extra: str, tmp_path: Path) -> None:
    packages = [*requirements(""), *requirements(extra)]
    done = environment(tmp_path, WHEEL, *packages, lowest=True)(FEATURES[extra])
    assert done.returncode == 0, done.stdout + done.stderr


@needs_wheel
@pytest.mark.parametrize("package", OTHERS)
def test_packages_of_no_extra_work(package: str, tmp_path: Path) -> None:
    done = environment(tmp_path, WHEEL, package)(OTHERS[package])
    assert done.returncode == 0, done.stdout + done.stderr


@needs_wheel
@pytest.mark.parametrize("extra", MISSING)
def test_what_is_missing_says_what_to_install(extra: str, tmp_path: Path) -> None:
    run = environment(tmp_path, f"{WHEEL}[{extra}]" if extra else WHEEL)
    for program, message in MISSING[extra].items():
        done = run(program)
        assert done.returncode != 0, program
        assert done.stderr.strip().splitlines()[-1].endswith(message), done.stderr


@needs_wheel
def test_the_wheel_alone_reads_draws_and_describes(tmp_path: Path) -> None:
    done = environment(tmp_path, WHEEL)("""
from session_fsm import CustomerSession, __version__, wire
from session_fsm.diagrams import render
session = CustomerSession.create("order-1")
assert wire.loads(wire.dumps(session)).integration_id == "order-1"
assert wire.json_schema(CustomerSession)
assert "<svg" in render(CustomerSession, "svg")
print(__version__)
""")
    assert (done.stdout.strip(), done.stderr) == (PROJECT["version"], "")
