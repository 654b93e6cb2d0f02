"""Talon.One's npm client performs the operations of one order against the sandbox."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tools

from session_fsm.sandbox import Fault, Sandbox

SCRIPT = Path(__file__).parents[1] / "support" / "sandbox_operations.cjs"

NOT_IN_4_3_0 = {
    *("get", "reopen", "close after reopening", "return", "second return", "reopen a return", "unknown"),
}


@pytest.mark.parametrize("module", ["talon_one", "talon_one_next"])
def test_the_operations_of_one_order(talon_one: Sandbox[Any], module: str) -> None:
    """W-04 to W-21, W-24, W-25: every answer becomes the client's type, and nothing is repeated.

    The older version, 4.3.0, knows no operation but Update. The newer one, 5.0.1-rc, is installed under another name.
    """
    modules = tools.node_module(module).parent
    talon_one.add_fault(Fault(status=409, session_id="conflict"))
    talon_one.add_fault(Fault(drop="after", session_id="dropped"))
    done = subprocess.run(
        [tools.program("node"), SCRIPT, talon_one.url, module],
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    results = dict(json.loads(done.stdout))
    expected = {
        "create": [True, "open", 37.5, "cust-7", "talon_session_created"],
        "dry close": [True, "closed", 0],
        "refused close": [400, "The submitted data was invalid"],
        "close": [True, "closed", 37.5],
        "close again": [400, "Only open sessions can be closed"],
        "get": [True, True, "order 1/a"],
        "reopen": [],
        "close after reopening": [True, "closed", 37.5],
        "return": 0,
        "second return": 1,
        "reopen a return": [400, "Only closed sessions can be reopened"],
        "cancel": [True, "cancelled", 37.5],
        "unknown": [404, 'There is no session "nowhere"; an update creates one'],
        "profile": {"City": "Ghent"},
        "conflict": [409, "Too many requests are updating this session at the same time"],
        "dropped": "ECONNRESET",
    }
    assert results == {name: result for name, result in expected.items() if name in results}
    assert results.keys() == expected.keys() - (NOT_IN_4_3_0 if module == "talon_one" else set())
    assert [one.status for one in talon_one.requests if one.session_id == "dropped"] == [None]
