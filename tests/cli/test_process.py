"""The command as a program: pipes, signals, terminals, encodings."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ITEM, environment, objects, on_terminal, program, recording, start, update


def code(text: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run Python code in a new interpreter."""
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, env=environment(**env), timeout=120, check=False
    )


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """Return a recording of some megabytes, most of it notes."""
    path = tmp_path / "long.jsonl"
    line = recording(update(cartItems=[ITEM]) | {"note": "x" * 2000})
    path.write_text(line * 1500, encoding="utf-8")
    return path


class TestProgram:
    """The module and the script start the same program."""

    def test_the_module_is_the_command(self, tmp_path: Path) -> None:
        result = start("demo", cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, b"")
        assert result.stdout.startswith(b"One order, from the cart to its cancellation")

    def test_the_script_is_the_command(self, tmp_path: Path) -> None:
        script = Path(sys.executable).with_name("session-fsm")
        result = subprocess.run([script, "--version"], capture_output=True, cwd=tmp_path, timeout=120, check=False)
        assert result.stdout.startswith(b"session-fsm ")

    def test_a_class_is_found_in_the_current_directory(self, tmp_path: Path) -> None:
        text = "from session_fsm import CustomerSession\nclass Shop(CustomerSession): pass\n"
        (tmp_path / "corner_shop.py").write_text(text, encoding="utf-8")
        script = Path(sys.executable).with_name("session-fsm")
        for command in (program(), [str(script)]):
            arguments = [*command, "explain", "--class", "corner_shop:Shop"]
            result = subprocess.run(
                arguments, capture_output=True, cwd=tmp_path, env=environment(), timeout=120, check=False
            )
            assert result.stdout.startswith(b"Shop: 10 transitions")

    def test_a_usage_error_of_the_program_is_one_line_with_status_2(self, tmp_path: Path) -> None:
        result = start("replay", "nowhere", cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, b"")
        assert result.stderr == b"session-fsm: invalid value for 'FILE...': File 'nowhere' does not exist\n"

    def test_refused_requests_are_status_1_and_unreadable_ones_status_2(self) -> None:
        refused = recording(update(state="cancelled")).encode()
        assert start("replay", "-", stdin=refused).returncode == 1
        assert start("replay", "-", stdin=refused + b"nonsense\n").returncode == 2


class TestImports:
    """The library does not import the command's dependencies."""

    def test_the_library_imports_neither_click_nor_rich(self) -> None:
        result = code("import sys, session_fsm; print(*{'click', 'rich', 'cattrs'} & set(sys.modules))")
        assert (result.stdout.strip(), result.stderr) == (b"", b"")

    @pytest.mark.parametrize("missing", ["click", "rich"])
    def test_without_the_extra_the_program_says_how_to_install_it(self, missing: str) -> None:
        result = code(
            "import sys\n"
            "class Blocked:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            f"        if name.partition('.')[0] == {missing!r}:\n"
            "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
            "sys.meta_path.insert(0, Blocked())\n"
            "from session_fsm.__main__ import main\n"
            "main()\n"
        )
        assert (result.returncode, result.stdout) == (2, b"")
        expected = f'session-fsm: {missing} is not installed; run: pip install "session-fsm[cli]"'
        assert result.stderr.decode().splitlines() == [expected]


class TestEndings:
    """A broken pipe and an interrupt print no traceback."""

    def test_a_broken_pipe_prints_no_error(self, long_file: Path) -> None:
        with subprocess.Popen(
            program("replay", long_file), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().split()[:3] == [b"1", b"order-1", b"create"]
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(timeout=120) == 141

    def test_an_interrupt_prints_the_summary_so_far(self) -> None:
        with subprocess.Popen(
            program("replay", "-", "--json"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdin.write(recording(update(), "nonsense").encode())
            process.stdin.flush()
            assert process.stderr.readline().startswith(b"session-fsm: standard input:2: ")  # it waits for more
            process.send_signal(signal.SIGINT)
            assert process.stderr.read() == b""
            *lines, last = objects(process.stdout.read().decode())
            assert [line["line"] for line in lines] == [1, 2]
            assert last["summary"]["interrupted"] is True
            assert (last["summary"]["applied"], last["summary"]["unreadable"]) == (1, 1)
            assert process.wait(timeout=120) == 130

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
    def test_a_full_disk_is_one_line_with_status_2(self) -> None:
        with Path("/dev/full").open("wb") as full:
            result = subprocess.run(
                program("demo"), stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=120, check=False
            )
        assert result.returncode == 2
        assert result.stderr == b"session-fsm: the output: No space left on device\n"

    def test_closed_streams_are_not_an_error(self) -> None:
        command = " ".join(f"'{part}'" for part in program("demo"))
        result = subprocess.run(f"{command} >&- 2>&-", shell=True, env=environment(), timeout=120, check=False)
        assert result.returncode == 0


class TestEncodings:
    """A character that the encoding lacks is written as an escape."""

    @pytest.mark.parametrize(
        "env",
        [
            {"PYTHONIOENCODING": "ascii"},
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            {"LANG": "C", "LC_ALL": ""},
        ],
    )
    def test_any_locale_can_print_any_text(self, env: dict[str, str]) -> None:
        lines = recording(update("Döner 日本 🍕"), update("é", state="cancelled"), '{"operation": "é"}').encode()
        result = start("replay", "-", stdin=lines, **env)
        assert result.returncode == 2
        assert b"Traceback" not in result.stderr
        if "PYTHONIOENCODING" in env:
            assert rb"D\xf6ner \u65e5\u672c \U0001f355" in result.stdout
        result = start("replay", "-", "--json", stdin=lines, **env)
        assert objects(result.stdout.decode())[0]["sessionId"] == "Döner 日本 🍕"


class TestTerminal:
    """Colours and progress bars are shown only on a terminal."""

    def test_a_terminal_gets_colours_unless_no_color_is_set(self) -> None:
        assert "\x1b[32mopen -> closed" in on_terminal("demo")
        assert "\x1b" not in on_terminal("demo", NO_COLOR="1")
        assert "\x1b" not in on_terminal("demo", TERM="dumb")

    def test_a_pipe_gets_no_colours(self) -> None:
        assert b"\x1b" not in start("demo").stdout

    def test_the_bar_for_standard_input_counts_bytes_read(self, long_file: Path) -> None:
        shown = on_terminal("replay", "-q", "-", stdin=long_file, NO_COLOR="1")
        assert "MB read" in shown
        assert "requests    1500" in shown

    def test_output_to_a_pipe_shows_no_bar(self, long_file: Path) -> None:
        leader, follower = pty.openpty()
        with os.fdopen(leader, "rb", buffering=0) as terminal:
            arguments = program("replay", long_file)
            result = subprocess.run(
                arguments,
                stdout=subprocess.PIPE,
                stderr=follower,
                env=environment(TERM="xterm"),
                timeout=120,
                check=False,
            )
            os.write(follower, b"end\n")
            os.close(follower)
            assert terminal.read(100).replace(b"\r", b"") == b"end\n"
        assert len(result.stdout.splitlines()) == 1500 + 6

    def test_the_bar_for_a_long_file_does_not_break_lines(self, long_file: Path) -> None:
        shown = on_terminal("replay", long_file, NO_COLOR="1")
        assert " %" in shown
        lines = [line.split("\x1b[2K")[-1] for line in shown.split("\n")]
        plain = start("replay", long_file).stdout.decode().splitlines()
        assert [line for line in lines if line.startswith(" ") and "order-1" in line] == plain[:1500]
