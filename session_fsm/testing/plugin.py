"""The pytest plugin: the fixture `talon_one`, and the coverage of the definition of session classes.

Users enable it by name: with ``pytest_plugins = ["session_fsm.testing.plugin"]`` in the ``conftest.py`` of the root,
or with ``-p session_fsm.testing.plugin`` on the command line. `talon_one` is a sandbox, as
``docs/howto/test-against-the-sandbox.md`` describes it. The plugin records no coverage until one of its options, or the
equivalent in the configuration file, is set. The options are described in ``docs/testing/coverage.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import pytest

from session_fsm.class_loader import class_at
from session_fsm.errors import SessionFSMError
from session_fsm.testing.coverage.recorder import Recorder, recording
from session_fsm.testing.coverage.report import FORMATS, report, report_file, summary

if TYPE_CHECKING:
    from session_fsm.sandbox import Sandbox

__all__ = [
    "Recording",
    "pytest_addoption",
    "pytest_configure",
    "session_fsm_recorder",
    "talon_one",
    "talon_one_settings",
]

_PLAIN = "session_fsm:CustomerSession"
# The key of `workeroutput` under which a pytest-xdist worker sends its counts to the controller.
_WORKER_KEY = "session_fsm_recording"
# The exit statuses of runs whose tests ran; after any other, there is no report.
_RAN = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their equivalents in the configuration file."""
    add = parser.getgroup("session-fsm", "how much of the definition of session classes is exercised").addoption
    add("--session-fsm-cov", action="store_true", default=None, help="Record, and report on the terminal.")
    add(
        "--session-fsm-class",
        action="append",
        metavar="MODULE:CLASS",
        help=f"A class to report on; repeatable; {_PLAIN} unless given.",
    )
    add(
        "--session-fsm-report",
        action="append",
        metavar="FORMAT[:FILE]",
        help=f"A report to make, as {', '.join(FORMATS)}; repeatable. All but term need a file.",
    )
    add("--session-fsm-fail-under", metavar="PERCENT", help="Fail if less than this was exercised.")
    add("--session-fsm-data", metavar="DIR", help="Write the counts into a new file in DIR, to be merged later.")
    add(
        "--session-fsm-without-subclasses",
        action="store_true",
        default=None,
        help="Count for a class only what its own sessions did, and not those of its subclasses.",
    )
    parser.addini("session_fsm_cov", "As --session-fsm-cov.", "bool", default=False)
    parser.addini("session_fsm_class", "As --session-fsm-class, one per line.", "linelist", default=[])
    parser.addini("session_fsm_report", "As --session-fsm-report, one per line.", "linelist", default=[])
    parser.addini("session_fsm_fail_under", "As --session-fsm-fail-under.", default=None)
    parser.addini("session_fsm_data", "As --session-fsm-data.", default=None)
    parser.addini("session_fsm_without_subclasses", "As --session-fsm-without-subclasses.", "bool", default=False)


def _option(config: pytest.Config, name: str) -> Any:
    """Return the value from the command line, or else from the configuration file."""
    given = config.getoption(f"--session-fsm-{name}")
    return config.getini(f"session_fsm_{name.replace('-', '_')}") if given is None else given


def pytest_configure(config: pytest.Config) -> None:
    """Start recording before test modules are imported, if an option needs it."""
    wanted = any(_option(config, name) for name in ("cov", "report", "fail-under", "data"))
    if wanted and not config.option.collectonly:
        config.pluginmanager.register(Recording(config), "session-fsm-recording")


@pytest.fixture
def session_fsm_recorder() -> Iterator[Recorder]:
    """Record this one test."""
    with recording() as recorder:
        yield recorder


@pytest.fixture
def talon_one_settings() -> Mapping[str, Any]:
    """Return the arguments of the `Sandbox` of `talon_one`; a test suite overrides it, to name its session class."""
    return {}


@pytest.fixture
def talon_one(talon_one_settings: Mapping[str, Any]) -> Iterator[Sandbox[Any]]:
    """A sandbox of Talon.One's API on a port of its own, new for each test."""
    # The sandbox is a higher layer, and an extra of its own.
    with import_module("session_fsm.sandbox").Sandbox(**talon_one_settings) as sandbox:
        yield sandbox


class Recording:
    """Records one pytest run, merges the counts of its workers and writes the reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._classes: Sequence[str] = _option(config, "class") or [_PLAIN]
        self._reports = [_as_report(given) for given in _option(config, "report")]
        self._fail_under = _as_percent(_option(config, "fail-under"))
        self._data: str | None = _option(config, "data")
        self._without_subclasses = bool(_option(config, "without-subclasses"))
        if not self._reports and (_option(config, "cov") or self._fail_under is not None):
            self._reports = [("term", "")]
        self._output: list[str] = []
        self._errors: list[str] = []
        self._from_workers = Recorder()
        self._recorder = Recorder()
        self._recorder.start()

    @property
    def _workeroutput(self) -> Any:
        """What a pytest-xdist worker sends to its controller; None in any other process."""
        return getattr(self._config, "workeroutput", None)

    def pytest_unconfigure(self) -> None:
        """Stop recording, however the run ends."""
        self._recorder.stop()

    def pytest_collection_finish(self) -> None:
        """Import the classes after collection and before the first test, so that a wrong name is reported at once."""
        if self._workeroutput is None:
            try:
                list(map(class_at, self._classes))
            except SessionFSMError as error:
                raise pytest.UsageError(f"--session-fsm-class: {error}") from error

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002 - pytest-xdist reports the error
        """Add the counts of a pytest-xdist worker."""
        data = getattr(node, "workeroutput", {}).get(_WORKER_KEY)
        if data is None:
            self._errors.append(f"what worker {node.gateway.id} recorded is lost, because it crashed")
        else:
            self._from_workers += Recorder.from_json(data)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the counts to the controller; or write the reports, and fail the run if the coverage is too low."""
        self._recorder.stop()
        if self._workeroutput is not None:
            self._workeroutput[_WORKER_KEY] = self._recorder.to_json()
        elif session.exitstatus in _RAN:
            try:
                self._finish(session, self._recorder + self._from_workers)
            except (SessionFSMError, OSError) as error:
                self._errors.append(str(error))
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _finish(self, session: pytest.Session, recorder: Recorder) -> None:
        if self._data is not None:
            self._output.append(f"counts written to {_write_data(self._data, recorder)}")
        if not self._reports:
            return
        kinds = map(class_at, self._classes)
        coverages = [recorder.of(kind, including_subclasses=not self._without_subclasses) for kind in kinds]
        for name, given in self._reports:
            if not given:
                self._output += report(recorder.counters(), coverages, name).splitlines()
                continue
            for path, of in report_file(given, coverages, name):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(report(recorder.counters(), of, name), encoding="utf-8")
                self._output.append(f"{name} report written to {path}")
        for coverage in coverages:
            if self._fail_under is not None and coverage.percent < self._fail_under:
                self._errors.append(f"{summary(coverage)}, and {self._fail_under:g} % is required")
                if session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the report, the names of the files that were written, and the errors."""
        if self._output or self._errors:
            terminalreporter.section("session-fsm: coverage of the definition")
        for line in self._output:
            terminalreporter.line(line)
        for line in self._errors:
            terminalreporter.line(f"ERROR: session-fsm: {line}", red=True, bold=True)


def _as_report(given: str) -> tuple[str, str]:
    """Return the format and the file of ``FORMAT[:FILE]``."""
    name, _, path = given.partition(":")
    if name not in FORMATS:
        suffix = Path(given).suffix[1:]
        meant = f"; did you mean {suffix}:{given}?" if suffix in FORMATS else f"; there are {', '.join(FORMATS)}"
        raise pytest.UsageError(f"--session-fsm-report: there is no format '{name}'{meant}")
    if not path and name != "term":
        raise pytest.UsageError(f"--session-fsm-report: {name} needs a file, as in {name}:coverage.{name}")
    return name, path


def _as_percent(given: str | None) -> float | None:
    if given is None:
        return None
    try:
        percent = float(given)
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= 100:
        raise pytest.UsageError(f"--session-fsm-fail-under: '{given}' is not a number from 0 to 100")
    return percent


def _write_data(folder: str, recorder: Recorder) -> Path:
    """Write the counts to a new file in *folder*, because other processes may write at the same time."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        "w", encoding="utf-8", prefix="recording-", suffix=".json", dir=folder, delete=False
    ) as file:
        file.write(recorder.to_json())
    return Path(folder, Path(file.name).name)
