"""The command group: help, usage errors, loading of classes, exit status, output."""

import errno
import io
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest
from command_line import run

import session_fsm
from session_fsm import __main__ as entry
from session_fsm import cli
from session_fsm.cli import terminal
from session_fsm.errors import SessionFSMError

COMMANDS = ("demo", "replay", "check", "explain")


class TestHelp:
    """Every command has help, under both option names, with an example."""

    @pytest.mark.parametrize("option", ["-h", "--help"])
    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_has_help_with_an_example(self, name: str, option: str) -> None:
        result = run(name, option)
        assert result.exit_code == 0
        assert result.output.startswith(f"Usage: session-fsm {name}")
        assert f"session-fsm {name}" in result.output.split("Example")[1]
        assert "--class MODULE:CLASS" in result.output

    def test_the_help_lists_the_commands_in_order(self) -> None:
        result = run("--help")
        listed = [line.split()[0] for line in result.output.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
        assert listed == list(cli.COMMANDS)
        assert listed[: len(COMMANDS)] == list(COMMANDS)

    def test_without_arguments_the_help_is_shown(self) -> None:
        result = run()
        assert (result.exit_code, result.output) == (0, run("--help").output)

    def test_the_version_is_that_of_the_package(self) -> None:
        assert run("--version").output == f"session-fsm {session_fsm.__version__}\n"

    def test_a_source_tree_that_is_not_installed_has_no_version(self, monkeypatch: Any) -> None:
        def missing(name: str) -> str:
            raise ImportError(name)

        monkeypatch.setattr(session_fsm, "__getattr__", missing)
        assert run("--version").output == "session-fsm (not installed)\n"


class TestWrongCalls:
    """A usage error is one line on standard error, with status 2."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nonsense"], "no such command 'nonsense' (see session-fsm --help)"),
            (["--nonsense"], "no such option"),  # before click 8.4 with a colon and without quotes
            (["replay"], "missing argument 'FILE...' (see session-fsm replay --help)"),
            (["check"], "missing argument 'FILE...' (see session-fsm check --help)"),
            (["replay", "nowhere.jsonl"], "invalid value for 'FILE...': File 'nowhere.jsonl' does not exist"),
            (["replay", "."], "invalid value for 'FILE...': File '.' is a directory"),
            (["explain", "--state", "lost"], "invalid value for '--state': 'lost' is not one of "),
            (["explain", "fly"], "invalid value for '[TRIGGER]': 'fly' is not one of 'create', 'update', "),
            (["demo", "--class", "shop"], "invalid value for '--class': 'shop' does not look like package.module:"),
            (
                ["demo", "--class", "shop.Shop"],
                "invalid value for '--class': 'shop.Shop' does not look like package.module:ShopSession; did you mean shop:Shop?",
            ),
            (
                ["demo", "--class", "CustomerSession"],
                "invalid value for '--class': 'CustomerSession' does not look like package.module:ShopSession; did you mean session_fsm:CustomerSession?",
            ),
            (["diagram", "mine:Shop"], "got unexpected extra argument (mine:Shop); write --class mine:Shop (see "),
            (["diagram", "mine"], "got unexpected extra argument (mine) (see session-fsm diagram --help)"),
            (["version"], "no such command 'version'; did you mean '--version'?"),
            (["explain", "closed"], "invalid value for '[TRIGGER]': closed is a state; write --state closed\n"),
            (
                ["explain", "return"],
                "invalid value for '[TRIGGER]': 'return' is no trigger; did you mean return_items?",
            ),
            (["diagramm"], "no such command 'diagramm'; did you mean 'diagram'?"),
            (["demo", "--class", ":Shop"], "invalid value for '--class': ':Shop' does not look like package.module:"),
            (["demo", "--class", "shop:"], "invalid value for '--class': 'shop:' does not look like package.module:"),
            (["demo", "--class", "no.shop:A"], "invalid value for '--class': there is no module 'no', neither here "),
            (["demo", "--class", "json:Shop"], "invalid value for '--class': the module 'json' has no 'Shop'"),
            (["demo", "--class", "json:dumps"], "invalid value for '--class': 'json:dumps' is not CustomerSession or "),
            (["demo", "--class", "session_fsm:State"], "invalid value for '--class': 'session_fsm:State' is not Cust"),
            (
                ["demo", "--class", "session_fsm.cli.commands.demo:Demo"],
                "invalid value for '--class': the module 'session_fsm.cli.commands.demo' has no 'Demo'; it has DemoSession",
            ),
        ],
    )
    def test_a_usage_error_is_one_line_with_status_2(self, arguments: list[str], message: str) -> None:
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"session-fsm: {message}")
        assert result.stderr.count("\n") == 1

    @pytest.mark.parametrize(
        ("arguments", "meant"),
        [
            (["diagram", "-f", "svg"], "; did you mean --format?"),
            (["diagram", "--output", "x.svg"], "; did you mean -o?"),
            (["demo", "-c", "mine:Shop"], "; did you mean --class?"),
            (["demo", "--output", "x.svg"], ""),
        ],
    )
    def test_an_option_of_other_programs_suggests_that_of_the_command(self, arguments: list[str], meant: str) -> None:
        result = run(*arguments)
        assert result.exit_code == 2
        assert f"{meant} (see session-fsm {arguments[0]} --help)\n" in result.stderr
        assert ("did you mean" in result.stderr) is bool(meant)

    def test_control_characters_in_an_argument_are_escaped(self) -> None:
        result = run("\x1b[31mred\x9b")
        assert "\x1b" not in result.stderr
        assert "\x9b" not in result.stderr
        assert r"'\x1b[31mred\x9b'" in result.stderr


class TestClasses:
    """A session class is found by ``package.module:Name``, also in the current directory."""

    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: Any) -> Any:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
        before = set(sys.modules)
        yield
        for name in set(sys.modules) - before:
            if Path(getattr(sys.modules[name], "__file__", None) or "").is_relative_to(tmp_path):
                del sys.modules[name]

    def _write(self, name: str, text: str) -> None:
        Path(name).write_text(text, encoding="utf-8")

    def test_a_class_in_the_current_directory_is_found(self) -> None:
        self._write("corner_shop.py", _SHOP)
        result = run("explain", "close", "--class", "corner_shop:ShopSession")
        assert result.exit_code == 0
        assert "order_too_small      An order is worth ten at least." in result.output

    @pytest.mark.parametrize(
        ("place", "message"),
        [
            (
                "corner_shop",
                "'corner_shop' does not look like package.module:ShopSession; did you mean corner_shop:ShopSession?",
            ),
            ("without_class", "'without_class' does not look like package.module:ShopSession"),
            (
                "corner_shop.py:ShopSession",
                "'corner_shop.py:ShopSession' names a file, and not a module; did you mean corner_shop:ShopSession?",
            ),
            (
                "shops/first.py:Shop",
                "'shops/first.py:Shop' names a file, and not a module; did you mean shops.first:Shop?",
            ),
        ],
    )
    def test_a_wrong_place_is_answered_with_the_right_one(self, place: str, message: str) -> None:
        Path("shops").mkdir()
        self._write("corner_shop.py", _SHOP)
        self._write("without_class.py", "")
        self._write("shops/first.py", _SHOP)
        result = run("explain", "--class", place)
        assert (result.exit_code, result.stderr) == (2, f"session-fsm: invalid value for '--class': {message}\n")

    def test_a_nested_class_is_found(self) -> None:
        self._write("corner_shop.py", _SHOP + "\nclass Shops:\n    First = ShopSession\n")
        assert run("explain", "--class", "corner_shop:Shops.First").output.startswith("ShopSession: 10 transitions")

    def test_the_current_directory_is_searched_once(self) -> None:
        self._write("corner_shop.py", _SHOP)
        self._write("other_shop.py", _SHOP)
        run("explain", "--class", "corner_shop:ShopSession")
        run("explain", "--class", "other_shop:ShopSession")
        assert sys.path.count(str(Path.cwd())) == 1

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing' ({}, line 1)"),
            ("\n1 / 0", "ZeroDivisionError: division by zero ({}, line 2)"),
            ("def", "SyntaxError: invalid syntax ({}, line 1)"),
            ("raise SystemExit(3)", "SystemExit: 3 ({}, line 1)"),
            ("raise ValueError('a\\nb')", "ValueError: a b ({}, line 1)"),
            ("assert not __name__", "AssertionError ({}, line 1)"),
            (
                "from session_fsm import CustomerSession\nclass A(CustomerSession):\n    rules = (3,)",
                "InvalidValue: /rules/0: 3 is not a rule; make one with the decorator rule ({}, line 2)",
            ),
        ],
    )
    def test_an_error_in_the_module_is_reported_with_its_line(self, text: str, message: str, tmp_path: Any) -> None:
        self._write("broken.py", text)
        result = run("demo", "--class", "broken:Shop")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("session-fsm: invalid value for '--class': the module 'broken' cannot be imp")
        assert message.format(tmp_path / "broken.py") in result.stderr
        assert result.stderr.count("\n") == 1

    def test_a_name_that_cannot_be_imported_has_no_line(self) -> None:
        result = run("demo", "--class", ".shop:Shop")
        assert result.exit_code == 2
        assert "the module '.shop' cannot be imported: TypeError: " in result.stderr
        assert ", line" not in result.stderr


_SHOP = '''
from session_fsm import CustomerSession, Trigger, rule

@rule("order_too_small", on=[Trigger.CLOSE])
def order_is_worth_ten(total):
    """An order is worth ten at least."""
    return total >= 10

class ShopSession(CustomerSession):
    rules = (*CustomerSession.rules, order_is_worth_ten)
'''


class TestEndings:
    """No exception of a command shows a traceback."""

    @pytest.fixture
    def failing(self, monkeypatch: Any) -> Any:
        """Return a function that creates a command which raises an exception."""

        def make(error: BaseException) -> None:
            @click.command("fail")
            def fail() -> None:
                click.echo("begun")
                raise error

            module: Any = ModuleType("failing_command")
            module.command = fail
            monkeypatch.setitem(sys.modules, "failing_command", module)
            monkeypatch.setattr(cli, "COMMANDS", {"fail": "failing_command"})

        return make

    @pytest.mark.parametrize(
        ("error", "status", "message"),
        [
            (KeyboardInterrupt(), 130, ""),
            (click.Abort(), 130, ""),
            (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
            (OSError(errno.ENOSPC, "No space left on device"), 2, "session-fsm: the output: No space left on device\n"),
            (OSError(errno.EIO, "Input/output error", "a.jsonl"), 2, "session-fsm: a.jsonl: Input/output error\n"),
            (SessionFSMError("a callback\nfailed"), 2, "session-fsm: a callback\\nfailed\n"),
            (click.ClickException("This is so."), 2, "session-fsm: this is so\n"),
            (OSError(errno.ENOENT, "No such file", "Released.json"), 2, "session-fsm: Released.json: No such file\n"),
            (click.ClickException("CustomerSession is so."), 2, "session-fsm: CustomerSession is so\n"),
            (click.UsageError("Not so."), 2, "session-fsm: not so (see session-fsm fail --help)\n"),
        ],
    )
    def test_an_exception_becomes_a_status_and_one_line(
        self, failing: Any, error: BaseException, status: int, message: str
    ) -> None:
        failing(error)
        result = run("fail")
        assert (result.exit_code, result.stdout, result.stderr) == (status, "begun\n", message)

    def test_an_interrupt_before_the_command_starts_prints_no_traceback(self, monkeypatch: Any) -> None:
        def interrupted(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(cli.command, "make_context", interrupted)
        result = run("demo")
        assert (result.exit_code, result.output.strip()) == (130, "")

    def test_closed_streams_discard_output(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(sys, "stdout", None)
        terminal.prepare()
        with sys.stdout as stream:
            assert stream.write("nowhere") == 7

    def test_streams_that_cannot_be_reconfigured_are_not_changed(self, monkeypatch: Any) -> None:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        terminal.prepare()
        assert sys.stdout is stream


class TestEntry:
    """``session-fsm`` and ``python -m session_fsm`` run the same program; it reports a missing extra."""

    def test_the_entry_point_runs_the_command(self, monkeypatch: Any, capsys: Any) -> None:
        monkeypatch.setattr(sys, "argv", ["whatever", "--version"])
        with pytest.raises(SystemExit) as ended:
            entry.main()
        assert (ended.value.code, capsys.readouterr().out) == (0, f"session-fsm {session_fsm.__version__}\n")

    def test_the_module_runs_as_a_program(self, monkeypatch: Any, capsys: Any) -> None:
        monkeypatch.setattr(sys, "argv", ["whatever", "nonsense"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(entry.__file__, run_name="__main__")
        assert ended.value.code == 2
        assert capsys.readouterr().err == "session-fsm: no such command 'nonsense' (see session-fsm --help)\n"

    @pytest.mark.parametrize("missing", ["click", "rich"])
    def test_without_the_extra_one_line_says_how_to_install_it(
        self, missing: str, monkeypatch: Any, capsys: Any
    ) -> None:
        for name in [name for name in sys.modules if name.startswith(("session_fsm.cli", f"{missing}."))]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, missing, None)
        with pytest.raises(SystemExit) as ended:
            entry.main()
        assert ended.value.code == 2
        assert capsys.readouterr() == (
            "",
            f'session-fsm: {missing} is not installed; run: pip install "session-fsm[cli]"\n',
        )

    def test_another_missing_module_is_raised(self, monkeypatch: Any) -> None:
        monkeypatch.setitem(sys.modules, "session_fsm.cli", None)
        with pytest.raises(ModuleNotFoundError):
            entry.main()

    def test_an_interrupt_during_the_import_prints_no_traceback(self, monkeypatch: Any, capsys: Any) -> None:
        class Interrupting(SimpleNamespace):
            @property
            def command(self) -> None:
                raise KeyboardInterrupt

        monkeypatch.setitem(sys.modules, "session_fsm.cli", Interrupting())
        with pytest.raises(SystemExit) as ended:
            entry.main()
        assert (ended.value.code, capsys.readouterr()) == (130, ("", ""))


class TestScreen:
    """Output fits a terminal; without a terminal it is not coloured or wrapped."""

    def test_without_a_terminal_no_line_is_wrapped_or_coloured(self) -> None:
        output = run("explain", COLUMNS="40").output
        assert "\x1b" not in output
        assert max(map(len, output.splitlines())) > 120

    def test_a_terminal_gets_colours_and_lines_that_fit(self) -> None:
        output = run("explain", FORCE_COLOR="1", COLUMNS="72", TERM="xterm-256color").output
        assert "\x1b[1mfrom closed\x1b[0m" in output
        assert max(len(click.unstyle(line)) for line in output.splitlines()) <= 72

    def test_wrapping_keeps_every_word(self) -> None:
        plain = run("explain").output.split()
        wrapped = click.unstyle(run("explain", FORCE_COLOR="1", COLUMNS="50", TERM="xterm").output).split()
        assert wrapped == plain

    @pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
    def test_a_terminal_without_colours_gets_none(self, env: dict[str, str]) -> None:
        output = run("explain", **{"FORCE_COLOR": "1", "COLUMNS": "72", "TERM": "xterm", **env}).output
        assert "\x1b" not in output
        assert max(map(len, output.splitlines())) <= 80

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("plain text: 1", "plain text: 1"),
            ("Döner 日本 🍕", "Döner 日本 🍕"),
            ("a\x1b[31mb", r"a\x1b[31mb"),
            ("line\nfeed\r", r"line\nfeed\r"),
            ("\x9b31m\x7f", r"\x9b31m\x7f"),
            ("\u202eright to left", r"\u202eright to left"),
            ("no\u00a0break", "no\u00a0break"),
            ("half \ud83d", r"half \ud83d"),
            ("[red]markup[/red]", "[red]markup[/red]"),
        ],
    )
    def test_control_characters_are_written_as_escapes(self, text: str, shown: str) -> None:
        assert terminal.escaped(text) == shown

    def test_wide_characters_take_two_columns(self) -> None:
        assert terminal.padded("日本", 6) == "日本  "
