"""The hooks for pre-commit, the GitHub action and the workflows fit the command and each other."""

import re
import shlex
import tomllib
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


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_a_workflow_may_only_read_unless_a_job_says_more(name: str) -> None:
    found = workflow(name)
    assert found["permissions"] == {"contents": "read"}
    assert "group" in found["concurrency"]
    steps = [step for job in found["jobs"].values() for step in job.get("steps", [])]
    for used in (step["uses"] for step in steps if "uses" in step):
        assert re.fullmatch(r"actions/[\w-]+@v\d+|pypa/gh-action-pypi-publish@release/v1", used), used
    for checkout in (step for step in steps if step.get("uses", "").startswith("actions/checkout")):
        assert checkout["with"]["persist-credentials"] is False
    assert all("timeout-minutes" in job for job in found["jobs"].values() if "steps" in job)


def test_a_release_needs_the_gate_and_no_token() -> None:
    jobs = workflow("release.yml")["jobs"]
    assert jobs["gate"]["uses"] == "./.github/workflows/ci.yml"
    assert [jobs[name]["needs"] for name in ("build", "publish", "release")] == ["gate", "build", "publish"]
    assert jobs["build"]["permissions"] == {"contents": "read", "id-token": "write", "attestations": "write"}
    assert (jobs["publish"]["permissions"], jobs["publish"]["environment"]) == ({"id-token": "write"}, "pypi")
    assert jobs["release"]["permissions"] == {"contents": "write"}
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "secrets." not in text


def test_a_release_is_built_checked_audited_and_attested() -> None:
    steps = workflow("release.yml")["jobs"]["build"]["steps"]
    scripts = "\n".join(step.get("run", "") for step in steps)
    for command in ("python -m build", "twine check --strict", "pip-audit --strict", "cyclonedx-py environment"):
        assert command in scripts
    (attest,) = [step for step in steps if step.get("uses", "").startswith("actions/attest-build-provenance@")]
    kept = [step["with"]["path"] for step in steps if step.get("uses", "").startswith("actions/upload-artifact@")]
    assert attest["with"]["subject-path"] == "dist/*"
    assert kept == ["dist/", "session-fsm.cdx.json"]


def test_the_page_on_checks_shows_the_version_of_the_project() -> None:
    number = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.findall(r"rev: v(.*)|session-fsm@v(.*)", PAGE.read_text(encoding="utf-8")) == [(number, ""), ("", number)]
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert re.findall(r"session_fsm-(.*)-py3-none-any\.whl", install) == [number]
