"""``session-fsm diagram``: one diagram, or a directory of diagrams."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from builders import at_minute, session_in
from command_line import run

from session_fsm import CustomerSession, wire
from session_fsm.diagrams import formats, register_format, render


class TestOneDiagram:
    """One diagram, in one format."""

    def test_the_default_is_mermaid_of_customer_session(self) -> None:
        result = run("diagram")
        assert (result.exit_code, result.output) == (0, render())

    @pytest.mark.parametrize("name", ["mermaid", "dot", "plantuml", "markdown", "json", "scxml", "svg", "html"])
    def test_every_format_is_supported(self, name: str) -> None:
        assert run("diagram", "--format", name, "--detail", "simple", "--title", "Orders").output == render(
            CustomerSession, name, detail="simple", title="Orders"
        )

    def test_a_subclass_is_drawn_with_its_rules(self) -> None:
        result = run("diagram", "--class", "diagram_cases:ShopSession")
        assert result.exit_code == 0
        assert "coupon_code_required" in result.output.replace("\xa0", " ")

    def test_the_output_can_be_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "states.svg"
        result = run("diagram", "-o", path)
        assert (result.exit_code, result.output) == (0, "")
        assert path.read_text(encoding="utf-8") == render(format="svg")
        assert run("diagram", "-o", "-").output == render()

    @pytest.mark.parametrize(
        ("suffix", "name"),
        [
            (".mmd", "mermaid"),
            (".dot", "dot"),
            (".puml", "plantuml"),
            (".md", "markdown"),
            (".json", "json"),
            (".scxml", "scxml"),
            (".HTML", "html"),
            ("", "mermaid"),
        ],
    )
    def test_the_suffix_of_the_file_names_the_format(self, tmp_path: Path, suffix: str, name: str) -> None:
        path = tmp_path / f"states{suffix}"
        assert run("diagram", "-o", path).exit_code == 0
        assert path.read_text(encoding="utf-8") == render(CustomerSession, name)

    def test_a_format_can_have_a_suffix_of_no_format(self, tmp_path: Path) -> None:
        path = tmp_path / "states.txt"
        assert run("diagram", "--format", "dot", "-o", path).exit_code == 0
        assert path.read_text(encoding="utf-8") == render(format="dot")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ("--format", "svg", "-o", "states.html"),
                "states.html has the suffix of html, and --format is svg; leave out --format, or name the file *.svg",
            ),
            (
                ("-o", "states.png"),
                "no format has the suffix .png; use one of .mmd, .dot, .puml, .md, .json, .scxml, .svg, .html, or give --format",
            ),
        ],
    )
    def test_a_suffix_that_is_a_mistake_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        result = run("diagram", *arguments)
        assert (result.exit_code, result.stderr) == (2, f"session-fsm: invalid value: {message}\n")
        assert list(tmp_path.iterdir()) == []

    def test_a_session_is_marked_and_its_events_are_numbered(self, tmp_path: Path) -> None:
        session = session_in("closed")
        document, way = tmp_path / "session.json", tmp_path / "events.jsonl"
        document.write_bytes(wire.dumps(session))
        way.write_bytes(b"\n".join(map(wire.dumps, session.pending_events)) + b"\n")
        result = run("diagram", "--session", document, "--events", way)
        assert result.exit_code == 0
        assert result.output == render(session=session, events=session.pending_events)
        assert run("diagram", "--session", "-", stdin=wire.dumps(session)).output == render(session=session)

    def test_a_session_is_judged_at_the_given_time(self, tmp_path: Path) -> None:
        session = session_in("closed")
        (tmp_path / "session.json").write_bytes(wire.dumps(session))
        result = run("diagram", "--session", tmp_path / "session.json", "--now", "2026-03-01T10:00:00Z")
        assert result.output == render(session=session, now=at_minute(60))
        alone = run("diagram", "--now", "2026-03-01T10:00:00Z")
        assert (alone.exit_code, alone.stderr) == (
            2,
            "session-fsm: --now goes with --session (see session-fsm diagram --help)\n",
        )

    def test_json_lines_in_place_of_a_session_are_recognised(self, tmp_path: Path) -> None:
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"\n".join(map(wire.dumps, session_in("closed").pending_events)))
        result = run("diagram", "--session", path)
        message = f"session-fsm: {path}: the file has JSON Lines; --events reads the events in it\n"
        assert (result.exit_code, result.stderr) == (2, message)

    def test_a_file_that_cannot_be_read_is_reported_with_its_line(self, tmp_path: Path, monkeypatch: Any) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text('{"created": 5}', encoding="utf-8")
        result = run("diagram", "--session", bad)
        assert result.exit_code == 2
        assert "bad.json: /created: a number is not a time" in result.stderr
        lines = run("diagram", "--events", "-", stdin="{}\n")
        assert lines.exit_code == 2
        assert "standard input:1: /name: is missing" in lines.stderr
        monkeypatch.setattr("session_fsm.recorded_lines.MOST_BYTES", 10)
        long = run("diagram", "--events", "-", stdin="x" * 40 + "\n")
        assert long.exit_code == 2
        assert "standard input:1: the line is longer than" in long.stderr

    def test_an_unknown_format_is_a_usage_error(self) -> None:
        result = run("diagram", "--format", "gif")
        assert result.exit_code == 2
        assert "there is no format 'gif'" in result.stderr


class TestDirectory:
    """A directory with all formats, written and checked."""

    def test_a_written_directory_is_current(self, tmp_path: Path) -> None:
        folder = tmp_path / "diagrams"
        result = run("diagram", "--write", folder)
        assert (result.exit_code, result.output) == (0, f"{folder}: wrote {len(formats()) + 2} files\n")
        assert "customer_session.svg" in {path.name for path in folder.iterdir()}
        assert "```mermaid" in (folder / "README.md").read_text(encoding="utf-8")
        assert run("diagram", "--check", folder).exit_code == 0

    def test_a_small_picture_is_written_checked_and_linked(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path)
        small = tmp_path / "customer_session_simple.svg"
        assert small.read_text(encoding="utf-8").startswith(render(format="svg", detail="simple"))
        assert f"({small.name})" in (tmp_path / "README.md").read_text(encoding="utf-8")
        small.unlink()
        assert f"{small} is missing" in run("diagram", "--check", tmp_path).stdout

    def test_stale_edited_missing_and_foreign_files_are_reported(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path)
        edited = tmp_path / "customer_session.mmd"
        edited.write_text(edited.read_text(encoding="utf-8").replace("stateDiagram-v2", "stateDiagram"), "utf-8")
        cut = tmp_path / "customer_session.puml"
        cut.write_bytes(cut.read_bytes().removesuffix(b"\n"))
        (tmp_path / "customer_session.dot").unlink()
        (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
        (tmp_path / ".hidden").write_text("x", encoding="utf-8")
        result = run("diagram", "--check", tmp_path)
        assert result.exit_code == 1
        for part in (
            f"{edited} is outdated\n",
            "-stateDiagram\n",
            "+stateDiagram-v2\n",
            f"{cut} is outdated\n",
            "customer_session.dot is missing",
            "notes.txt is no file of this diagram",
        ):
            assert part in result.stdout
        assert "is not current; run the same command with --write instead of --check" in result.stderr
        again = run("diagram", "--write", tmp_path)
        assert "notes.txt is no file of this diagram" in again.stderr

    def test_only_the_first_text_file_that_differs_is_shown_with_a_bounded_diff(self, tmp_path: Path) -> None:
        run("diagram", "--class", "diagram_cases:ShopSession", "--write", tmp_path, "--title", "x")
        for path in tmp_path.iterdir():
            path.write_bytes(b"an old line\n" * 100 + path.read_bytes())
        result = run("diagram", "--class", "diagram_cases:ShopSession", "--check", tmp_path, "--title", "x")
        lines = result.stdout.splitlines()
        assert [line for line in lines if line.endswith(" is outdated")] == lines[: len(formats()) + 2]
        assert [line for line in lines if line.startswith("--- ")] == [f"--- {tmp_path / 'README.md'} (as it is)"]
        assert lines[-1] == "and 66 further lines"
        assert len(lines) == len(formats()) + 2 + 40 + 1

    def test_a_missing_line_break_at_the_end_is_shown(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path)
        cut = tmp_path / "customer_session.puml"
        cut.write_bytes(cut.read_bytes().removesuffix(b"\n"))
        line = "-' generated by session-fsm diagram; do not edit (without a line break at its end)\n"
        assert line in run("diagram", "--check", tmp_path).stdout

    def test_files_in_a_subdirectory_are_suggested(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text("ours\n", encoding="utf-8")
        run("diagram", "--write", tmp_path / "shop")
        result = run("diagram", "--check", tmp_path)
        assert (result.exit_code, result.stdout, result.stderr) == (
            1,
            "",
            f"session-fsm: {tmp_path} has no file of this diagram; did you mean {tmp_path / 'shop'}?\n",
        )

    @pytest.mark.parametrize("name", ["README.md", "customer_session.json", "customer_session.svg"])
    @pytest.mark.parametrize("before", ["a new directory", "after --write"])
    def test_a_file_without_the_marker_is_never_overwritten(self, tmp_path: Path, name: str, before: str) -> None:
        if before == "after --write":
            run("diagram", "--write", tmp_path)
        theirs = tmp_path / name
        theirs.write_text("{}\nnotes on session-fsm diagram\n", encoding="utf-8")
        held = {path: path.read_bytes() for path in tmp_path.iterdir()}
        result = run("diagram", "--write", tmp_path, "--title", "Orders")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{theirs} was not written by this command and is not overwritten" in result.stderr
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == held
        checked = run("diagram", "--check", tmp_path)
        assert checked.exit_code == 1
        assert f"{theirs} was not written by session-fsm diagram, and --write will not overwrite it" in checked.stdout

    def test_every_foreign_file_is_reported(self, tmp_path: Path) -> None:
        for name in ("README.md", "customer_session.dot"):
            (tmp_path / name).write_text("ours\n", encoding="utf-8")
        result = run("diagram", "--write", tmp_path)
        assert [line.split(" was ")[0] for line in result.stderr.splitlines()] == [
            f"session-fsm: {tmp_path / name}" for name in ("README.md", "customer_session.dot")
        ]

    def test_a_directory_in_place_of_a_file_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "customer_session.svg").mkdir()
        result = run("diagram", "--write", tmp_path)
        assert result.exit_code == 2
        assert "customer_session.svg: Is a directory" in result.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["customer_session.svg"]

    def test_files_with_the_marker_are_overwritten(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path, "--title", "Old orders")
        assert run("diagram", "--write", tmp_path, "--title", "Orders").exit_code == 0
        assert "Old orders" not in "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())

    def test_a_file_in_a_registered_format_is_recognised_by_the_readme(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("session_fsm.diagrams._registered", {})  # undoes the registration after the test
        register_format("title-only", lambda diagram, _, *, detail: f"{diagram.title} {detail}\n")
        path = tmp_path / "customer_session.title-only"
        path.write_text("theirs\n", encoding="utf-8")
        assert run("diagram", "--write", tmp_path).exit_code == 2
        path.unlink()
        assert run("diagram", "--write", tmp_path).exit_code == 0
        assert path.read_text(encoding="utf-8") == "CustomerSession full\n"
        assert run("diagram", "--write", tmp_path, "--detail", "simple").exit_code == 0
        assert path.read_text(encoding="utf-8") == "CustomerSession simple\n"

    def test_written_files_are_valid_in_their_formats(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path)
        ET.parse(tmp_path / "customer_session.svg")
        ET.parse(tmp_path / "customer_session.scxml")
        document = json.loads((tmp_path / "customer_session.json").read_text(encoding="utf-8"))
        assert document == {"generator": document["generator"]} | json.loads(render(format="json"))
        assert run("diff", tmp_path / "customer_session.json", "session_fsm:CustomerSession").exit_code == 0

    def test_other_line_endings_are_not_a_difference(self, tmp_path: Path) -> None:
        run("diagram", "--write", tmp_path)
        for path in tmp_path.iterdir():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert run("diagram", "--check", tmp_path).exit_code == 0

    def test_a_missing_directory_is_not_current(self, tmp_path: Path) -> None:
        result = run("diagram", "--check", tmp_path / "none")
        assert result.exit_code == 1
        assert "does not exist" in result.stdout

    def test_the_readme_names_the_class(self, tmp_path: Path) -> None:
        run("diagram", "--class", "diagram_cases:ShopSession", "--title", "A *shop*", "--write", tmp_path)
        text = (tmp_path / "README.md").read_text(encoding="utf-8")
        assert "ShopSession" in text
        assert "A &#42;shop&#42;" in text
        assert (tmp_path / "shop_session.json").exists()
        assert json.loads((tmp_path / "shop_session.json").read_text(encoding="utf-8"))

    @pytest.mark.parametrize("more", [("--format", "svg"), ("--check", "x"), ("-o", "x.svg")])
    def test_write_and_check_refuse_other_options(self, tmp_path: Path, more: tuple[str, ...]) -> None:
        result = run("diagram", "--write", tmp_path, *more)
        assert result.exit_code == 2
        assert "--write and --check go with" in result.stderr


def test_a_registered_format_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("session_fsm.diagrams._registered", {})  # undoes the registration after the test
    register_format("title-only", lambda diagram, _, *, detail: f"{diagram.title} {detail}\n")
    assert run("diagram", "--format", "title-only").output == "CustomerSession full\n"
