"""``session-fsm diff``: its report and exit status."""

import json

import pytest
from command_line import run

from session_fsm.diagrams import render

PLAIN = "session_fsm:CustomerSession"
BAKERY = "mutation_suites.bakery:BakerySession"


def test_equal_definitions_are_status_0():
    result = run("diff", PLAIN, PLAIN)
    assert (result.exit_code, result.output) == (0, "no differences\n")
    result = run("diff", PLAIN, PLAIN, "--json")
    assert json.loads(result.output) == {"changes": [], "stuck": []}


def test_differences_are_status_1_with_python_that_demonstrates_them():
    result = run("diff", PLAIN, BAKERY, "--tries", "60")
    assert result.exit_code == 1
    assert result.output == (
        "order_too_small       added      An order must be worth at least 10. It guards T-04.\n"
        "coupon_code_required  added      A session must hold a coupon code by the time it closes. It guards T-02, T-04.\n"
        "order_too_small       tightened  it refuses what was allowed before, such as close.\n"
        '    session = CustomerSession.create("order-1")\n'
        '    session.close(coupon_codes=["A"])\n'
        '    assert session.state == "closed"\n'
        '    assert session.pending_events[-1].name == "talon_session_closed"\n'
        "coupon_code_required  tightened  it refuses what was allowed before, such as create.\n"
        '    session = CustomerSession.create("order-1", state="closed")\n'
        '    assert session.state == "closed"\n'
        '    assert session.pending_events[-1].name == "talon_session_created"\n'
    )


def test_a_file_is_compared_with_a_class(tmp_path):
    saved = tmp_path / "released.json"
    run("diagram", "--class", BAKERY, "--format", "json", "-o", saved)
    assert run("diff", saved, BAKERY).exit_code == 0
    result = run("diff", saved, PLAIN, "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["changes"][0] == {
        "part": "rule",
        "name": "order_too_small",
        "kind": "removed",
        "text": "An order must be worth at least 10. It guarded T-04.",
        "witness": None,
    }


def test_dead_ends_for_stored_sessions_are_status_3(tmp_path):
    document = json.loads(render(format="json"))
    document["transitions"] = [row for row in document["transitions"] if row["id"] != "T-09"]
    new = tmp_path / "new.json"
    new.write_text(json.dumps(document), encoding="utf-8")
    result = run("diff", PLAIN, new)
    assert result.exit_code == 3
    assert result.output == (
        "T-09  removed  cancel of a partially returned session is no longer possible\n"
        "\n"
        "Stored sessions could be at a dead end\n"
        "  partially_returned  no way leads from here to a final state any more\n"
    )
    assert json.loads(run("diff", PLAIN, new, "--json").output)["stuck"][0]["state"] == "partially_returned"


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("nothing.json", "nothing.json: No such file or directory"),
        (
            "CustomerSession",
            "there is no such file, and 'CustomerSession' does not look like package.module:ShopSession; did you mean session_fsm:CustomerSession?",
        ),
        ("nothing:Shop", "invalid value for 'OLD': there is no module 'nothing'"),
        ("nowhere:Shop", "there is no module 'nowhere'"),
        ("session_fsm:Shop", "the module 'session_fsm' has no 'Shop'"),
    ],
)
def test_an_unreadable_definition_is_status_2(old, message):
    result = run("diff", old, PLAIN)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_without_a_definition_is_status_2(tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("{}", encoding="utf-8")
    result = run("diff", bad, PLAIN)
    assert result.exit_code == 2
    assert "bad.json: /states: is missing" in result.stderr
