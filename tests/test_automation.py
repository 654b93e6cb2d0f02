"""The hooks for pre-commit, the GitHub action and the workflows fit the command and each other."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import run

from session_fsm import cli

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "howto" / "check-in-ci.md"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)]


def workflow(name: str) -> Any:
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["session-fsm-diagrams", "session-fsm-lint"])
def test_a_hook_runs_a_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = HOOKS[name]
    program, *arguments = [*shlex.split(hook["entry"]), *hook.get("args", [])]
    assert program == "session-fsm"
    assert hook["pass_filenames"] is False
    monkeypatch.chdir(ROOT)
    further = ["--tries", "400"] if name == "session-fsm-lint" else []
    assert run(*arguments, *further).exit_code == 0


def test_the_action_uses_each_of_its_inputs() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert ACTION["runs"]["using"] == "composite"
    for name in ACTION["inputs"]:
        assert re.search(rf"inputs\.{name}\b", text), name
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)
    called = {line.split()[1] for script in scripts for line in script.splitlines() if line.startswith("session-fsm ")}
    assert called == {"lint", "diagram"} <= set(cli.COMMANDS)


def test_the_examples_of_the_page_use_what_there_is() -> None:
    local, remote, action = EXAMPLES
    assert [hook["id"] for hook in remote["repos"][0]["hooks"]] == list(HOOKS)
    for hook in local["repos"][0]["hooks"]:
        assert hook["entry"].startswith(HOOKS[hook["id"]]["entry"])
    used = action["jobs"]["session"]["steps"][-1]
    assert used["with"].keys() <= ACTION["inputs"].keys()
    page = PAGE.read_text(encoding="utf-8")
    for name, described in ACTION["inputs"].items():
        assert f"| `{name}` |" in page
        if described.get("default"):
            assert f"`{described['default']}`" in page


def test_the_workflow_runs_the_gate() -> None:
    (step,) = [step for step in workflow("ci.yml")["jobs"]["gate"]["steps"] if "run" in step]
    assert ".ci/run" in step["run"]
    assert (ROOT / ".ci" / "run").is_file()


def test_a_release_needs_the_gate_and_no_token() -> None:
    jobs = workflow("release.yml")["jobs"]
    assert jobs["gate"]["uses"] == "./.github/workflows/ci.yml"
    assert (jobs["build"]["needs"], jobs["publish"]["needs"]) == ("gate", "build")
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
