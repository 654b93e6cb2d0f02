"""``session-fsm sandbox``: the command starts a server, says where it listens, and ends with a signal."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx2
import pytest
from command_line import environment, program, run
from sandbox_client import CART, HEADERS

SHOP = """
from decimal import Decimal
from session_fsm import CustomerSession
from session_fsm.rules import coupon_code_required

class Shop(CustomerSession):
    rules = (*CustomerSession.rules, coupon_code_required)

def effects(session, event, request):
    yield {"effectType": "setDiscount", "props": {"name": event.trigger, "value": session.total / 10}}
"""


@contextmanager
def sandbox(*arguments: object, cwd: Path) -> Iterator[tuple[str, Any]]:
    """Run the program, and yield its URL and its process."""
    with subprocess.Popen(
        program("sandbox", "--port", 0, *arguments),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
            assert line.startswith("The sandbox listens on http://"), line + process.stderr.read()  # type: ignore[union-attr]  # it is a pipe
            yield line.split()[-1], process
        finally:
            process.terminate()
            process.wait(30)


def test_it_says_where_it_listens_and_ends_with_a_signal(tmp_path: Path) -> None:
    began = perf_counter()
    with sandbox(cwd=tmp_path) as (url, process):
        answer = httpx2.put(f"{url}/v2/customer_sessions/order-1", json={"customerSession": {}}, headers=HEADERS)
        took = perf_counter() - began
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        rest, errors = process.stdout.read(), process.stderr.read()  # `communicate` would lose what `readline` holds
        process.wait(30)
    assert process.returncode == 0
    assert errors == ""
    assert rest == (
        f"  page         {url}/\n"
        f"  control API  {url}/sandbox/openapi.json\n"
        "  class        session_fsm.session:CustomerSession\n"
        "  sessions     in memory\n"
        "  open to      this machine only\n"
        "Ctrl+C ends it.\n"
    )
    assert took < 30


def test_every_option_reaches_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    (tmp_path / "faults.json").write_text(json.dumps([{"status": 503, "sessionId": "order-9"}, {"delay": 0.001}]))
    options = ["--class", "shop:Shop", "--effects", "shop:effects", "--faults", "faults.json", "--standing"]
    options += ["--now", "2026-09-14T09:12:00Z", "--key", "test", "--application", 41, "--unknown-session", 400]
    options += [
        "--always-session",
        "--api-version",
        "2026-02",
        "--store",
        "sqlite:///sandbox.db",
        "--host",
        "localhost",
    ]
    with sandbox(*options, cwd=tmp_path) as (url, _), httpx2.Client(base_url=url, headers=HEADERS) as client:
        path = "/v2/customer_sessions/order-1"
        assert client.get(path).status_code == 400
        assert client.get(path, headers={"Authorization": "ApiKey-v1 other"}).status_code == 401
        assert client.put("/v2/customer_sessions/order-9", json={"customerSession": {}}).status_code == 503
        refused = client.put(path, json={"customerSession": {"state": "closed"}})
        assert refused.json()["errors"][0]["title"] == "coupon_code_required"
        answer = client.put(path, json={"customerSession": {"cartItems": CART}}).json()
        assert answer["effects"][0]["props"] == {"name": "create", "value": 3.95}
        session = answer["customerSession"]
        assert (session["created"], session["applicationId"]) == ("2026-09-14T09:12:00Z", 41)
        assert "updateCount" not in session
    assert (tmp_path / "sandbox.db").exists()


def test_own_fields_of_the_class_get_their_values(tmp_path: Path) -> None:
    text = "import attrs\nfrom session_fsm import CustomerSession\n@attrs.define(kw_only=True, eq=False, repr=False)\n"
    (tmp_path / "shop.py").write_text(text + "class Shop(CustomerSession):\n    tenant: str\n", encoding="utf-8")
    with sandbox("--class", "shop:Shop", "--own", '{"tenant": "acme"}', cwd=tmp_path) as (url, _):
        path = f"{url}/v2/customer_sessions/order-1"
        assert httpx2.put(path, json={"customerSession": {}}, headers=HEADERS).status_code == 200


class TestUsage:
    def error(self, *arguments: object) -> str:
        result = run("sandbox", *arguments)
        assert result.exit_code == 2
        return result.stderr

    def test_a_port_that_is_taken_is_said(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert f"127.0.0.1:{port}: Address already in use; --port 0 takes a free port" in self.error("--port", port)

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("{", "not JSON"),
            ('{"status": 200}', "/status: is not an integer from 400 to 599"),
            ("[[]]", "is an object"),
        ],
    )
    def test_a_file_of_faults_that_cannot_be_read_is_said(self, tmp_path: Path, content: str, text: str) -> None:
        file = tmp_path / "faults.json"
        file.write_text(content, encoding="utf-8")
        assert text in self.error("--faults", file)

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["--now", "tomorrow"], "'tomorrow' is not a time with its time zone"),
            (["--api-version", "may"], "is not a month"),
            (["--class", "nowhere:Shop"], "there is no module 'nowhere'"),
            (["--effects", "nowhere:effects"], "cannot be imported"),
            (["--store", "mysql://x"], "a store needs SQLite or PostgreSQL"),
        ],
    )
    def test_an_option_that_cannot_work_is_said(self, arguments: list[str], text: str) -> None:
        assert text in self.error("--port", 0, *arguments)

    def test_a_missing_extra_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(name: str) -> Any:
            raise ModuleNotFoundError(f"{name} needs uvicorn")

        monkeypatch.setattr("session_fsm.cli.commands.sandbox.import_module", missing)
        assert "session_fsm.sandbox.server needs uvicorn" in self.error()

    def test_it_says_who_can_reach_it_on_other_addresses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "session_fsm.sandbox.server.serve",
            lambda app, listening, started: (started(), app.close(), listening.close()),
        )
        for host, url, reach in [
            ("0.0.0.0", "http://0.0.0.0:", "whoever reaches 0.0.0.0"),
            ("127.0.0.1", "http://127.0.0.1:", "this machine only"),
        ]:
            output = run("sandbox", "--port", 0, "--host", host, "--store", "sqlite://").output
            assert url in output
            assert reach in output
            assert "in the store" in output


def test_the_package_says_which_extra_is_missing() -> None:
    code = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'uvicorn' else find(name)\n"
        "try:\n    import session_fsm.sandbox\n"
        "except ModuleNotFoundError as error:\n    print(error)\n"
    )
    done = subprocess.run([*program()[:1], "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'session_fsm.sandbox needs uvicorn; run: pip install "session-fsm[sandbox]"\n'
