"""``session-fsm diagram``: a picture of the table, and a directory of pictures that stays current."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import session_in
from command_line import run

from session_fsm import CustomerSession, wire
from session_fsm.diagrams import formats, register_format, render


class TestOne:
    """One diagram, in one format."""

    def test_without_options_it_is_the_mermaid_of_the_plain_session(self) -> None:
        result = run("diagram")
        assert (result.exit_code, result.output) == (0, render())

    @pytest.mark.parametrize("name", ["mermaid", "dot", "plantuml", "markdown", "json", "scxml", "svg", "html"])
    def test_every_format_can_be_asked_for(self, name: str) -> None:
        assert run("diagram", "--format", name, "--detail", "simple", "--title", "Orders").output == render(
            CustomerSession, name, detail="simple", title="Orders"
        )

    def test_a_class_of_ones_own_is_drawn_with_its_rules(self) -> None:
        result = run("diagram", "--class", "diagram_cases:ShopSession")
        assert result.exit_code == 0
        assert "coupon_code_required" in result.output.replace("\xa0", " ")

    def test_it_can_be_written_into_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "states.svg"
        result = run("diagram", "--format", "svg", "-o", path)
        assert (result.exit_code, result.output) == (0, "")
        assert path.read_text(encoding="utf-8") == render(format="svg")
        assert run("diagram", "-o", "-").output == render()

    def test_a_session_is_marked_and_its_events_are_numbered(self, tmp_path: Path) -> None:
        session = session_in("closed")
        document, way = tmp_path / "session.json", tmp_path / "events.jsonl"
        document.write_bytes(wire.dumps(session))
        way.write_bytes(b"\n".join(map(wire.dumps, session.pending_events)) + b"\n")
        result = run("diagram", "--session", document, "--events", way)
        assert result.exit_code == 0
        assert result.output == render(session=session, events=session.pending_events)
        assert run("diagram", "--session", "-", stdin=wire.dumps(session)).output == render(session=session)

    def test_what_cannot_be_read_is_named_with_its_place(self, tmp_path: Path, monkeypatch: Any) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text('{"created": 5}', encoding="utf-8")
        result = run("diagram", "--session", bad)
        assert result.exit_code == 2
        assert "bad.json: /created: a number is not a time" in result.stderr
        lines = run("diagram", "--events", "-", stdin="{}\n")
        assert lines.exit_code == 2
        assert "standard input:1: /name: is missing" in lines.stderr
        monkeypatch.setattr("session_fsm.cli.recording.MOST_BYTES", 10)
        long = run("diagram", "--events", "-", stdin="x" * 40 + "\n")
        assert long.exit_code == 2
        assert "standard input:1: the line is longer than" in long.stderr

    def test_a_format_that_there_is_not_is_a_mistake_of_the_caller(self) -> None:
        result = run("diagram", "--format", "gif")
        assert result.exit_code == 2
        assert "there is no format 'gif'" in result.stderr


class TestDirectory:
    """All formats in a directory, and whether they are current."""

    def test_what_was_written_is_current(self, tmp_path: Path) -> None:
        folder = tmp_path / "diagrams"
        result = run("diagram", "--write", folder)
        assert (result.exit_code, result.output) == (0, f"{folder}: wrote {len(formats()) + 1} files\n")
        assert "customer_session.svg" in {path.name for path in folder.iterdir()}
        assert "```mermaid" in (folder / "README.md").read_text(encoding="utf-8")
        assert run("diagram", "--check", folder).exit_code == 0

    def test_what_is_stale_edited_missing_or_foreign_is_shown(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path)
        edited = tmp_path / "customer_session.mmd"
        edited.write_text(edited.read_text(encoding="utf-8").replace("stateDiagram-v2", "stateDiagram"), "utf-8")
        (tmp_path / "customer_session.json").write_text("{}", encoding="utf-8")
        (tmp_path / "customer_session.dot").unlink()
        (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
        (tmp_path / ".hidden").write_text("x", encoding="utf-8")
        result = run("diagram", "--check", tmp_path)
        assert result.exit_code == 1
        for part in (
            "-stateDiagram\n",
            "+stateDiagram-v2\n",
            "-{} (without a line break at its end)\n",
            "customer_session.dot is missing",
            "notes.txt is superfluous",
        ):
            assert part in result.stdout
        assert "is not current; write it anew with --write" in result.stderr
        again = run("diagram", "--write", tmp_path)
        assert "notes.txt is not from here" in again.stderr

    def test_line_endings_of_another_system_are_no_difference(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path)
        for path in tmp_path.iterdir():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert run("diagram", "--check", tmp_path).exit_code == 0

    def test_a_directory_that_there_is_not_is_not_current(self, tmp_path: Path) -> None:
        result = run("diagram", "--check", tmp_path / "none")
        assert result.exit_code == 1
        assert "does not exist" in result.stdout

    def test_the_directory_of_another_class_names_it(self, tmp_path: Path) -> None:
        run("diagram", "--class", "diagram_cases:ShopSession", "--title", "A *shop*", "--write", tmp_path)
        text = (tmp_path / "README.md").read_text(encoding="utf-8")
        assert "ShopSession" in text
        assert "A &#42;shop&#42;" in text
        assert (tmp_path / "shop_session.json").exists()
        assert json.loads((tmp_path / "shop_session.json").read_text(encoding="utf-8"))

    @pytest.mark.parametrize("more", [("--format", "svg"), ("--check", "x"), ("-o", "x.svg")])
    def test_it_goes_with_few_other_options(self, tmp_path: Path, more: tuple[str, ...]) -> None:
        result = run("diagram", "--write", tmp_path, *more)
        assert result.exit_code == 2
        assert "--write and --check go with" in result.stderr


def test_a_format_that_was_registered_is_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("session_fsm.diagrams._registered", {})  # what is added lasts as long as the process
    register_format("title-only", lambda diagram, _, *, detail: f"{diagram.title} {detail}\n")
    assert run("diagram", "--format", "title-only").output == "CustomerSession full\n"
