"""``session-fsm lint``: its report and exit status."""

import json

from command_line import run

SHOP = "from session_fsm import CustomerSession, rule\n"
IDLE = "@rule('idle', on=['close'])\ndef idle(total):\n    'Idle.'\n    return True\n"


def write(tmp_path, monkeypatch, name, text):
    (tmp_path / f"{name}.py").write_text(SHOP + text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_class_without_faults_is_status_0():
    result = run("lint", "--tries", "400")
    assert (result.exit_code, result.output) == (0, "CustomerSession: nothing is wrong with 10 rows and 9 rules\n")


def test_a_fault_is_status_1_with_its_place_and_reason(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, "idle_shop", IDLE + "class Shop(CustomerSession):\n    rules = (idle,)\n")
    result = run("lint", "--class", "idle_shop:Shop", "--tries", "60", "--ignore", "drops-built-in")
    assert (result.exit_code, result.output) == (1, "idle  never-refuses  nothing was refused for it in 60 tries\n")
    result = run("lint", "--class", "idle_shop:Shop", "--tries", "60", "--ignore", "drops-built-in", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "class": "idle_shop:Shop",
        "findings": [{"code": "never-refuses", "place": "idle", "reason": "nothing was refused for it in 60 tries"}],
    }


def test_a_class_that_cannot_be_imported_is_status_2(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, "wrong_shop", IDLE + "class Shop(CustomerSession):\n    rules = (idle, idle)\n")
    result = run("lint", "--class", "wrong_shop:Shop")
    assert result.exit_code == 2
    assert "the code idle is used twice" in result.stderr


def test_missing_values_for_required_own_fields_are_reported():
    result = run("lint", "--class", "builders:TenantSession", "--tries", "1")
    assert result.exit_code == 2
    assert "/own: a TenantSession cannot be created with these fields" in result.stderr
    result = run("lint", "--class", "builders:TenantSession", "--own", '{"tenant": "acme"}', "--tries", "1")
    assert result.exit_code == 1


def test_ignored_faults_are_omitted(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, "ignored_shop", IDLE + "class Shop(CustomerSession):\n    rules = (idle,)\n")
    arguments = (
        "lint",
        "--class",
        "ignored_shop:Shop",
        "--tries",
        "20",
        "--ignore",
        "drops-built-in",
        "--ignore",
        "idle:never-refuses",
    )
    assert run(*arguments).exit_code == 0
    assert run(*arguments[:-1], "nothing").exit_code == 2


def test_values_of_own_fields_are_read_as_their_types(tmp_path, monkeypatch):
    text = "from datetime import datetime\nimport attrs\n@attrs.define(eq=False)\nclass Shop(CustomerSession):\n    closed_at: datetime\n"
    write(tmp_path, monkeypatch, "timed_shop", text)
    given = ["--class", "timed_shop:Shop", "--tries", "1", "--own"]
    result = run("lint", *given, '{"closed_at": "2026-09-14T09:12:00Z"}')
    assert (result.exit_code != 2, result.stderr) == (True, "")
    result = run("lint", *given, '{"closed_at": "yesterday"}')
    assert result.exit_code == 2
    assert result.stderr == 'session-fsm: /closedAt: "yesterday" is not a time as RFC 3339 writes it\n'
    old = "session_fsm:CustomerSession"
    assert run("diff", old, "timed_shop:Shop", "--tries", "1", "--own", '{"closed_at": "yesterday"}').exit_code == 2
