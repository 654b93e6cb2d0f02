"""Log records and OpenTelemetry events of triggers."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from builders import add_callback, fresh, session_in
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from session_fsm import (
    CustomerSession,
    RuleViolated,
    SessionFSMError,
    Trigger,
    Violation,
    WrongState,
    rule,
    telemetry,
)


@rule("broken", on=[Trigger.CLOSE])
def the_clock_works() -> bool:
    """The clock works."""
    raise RuntimeError("no clock")


@rule("too_early", on=[Trigger.CLOSE, Trigger.CREATE])
def it_is_late(state: Any) -> Any:
    """It is late."""
    return [Violation(message="It is too early."), Violation(message="Far too early.")] if state == "closed" else True


class BrokenSession(CustomerSession):
    """A session whose rule raises."""

    rules = (the_clock_works,)


class EarlySession(CustomerSession):
    """A session that cannot be closed."""

    rules = (it_is_late,)


class Records(logging.Handler):
    """Keeps log records."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.held.append(record)


@pytest.fixture
def records() -> Iterator[list[Any]]:
    log, handler = logging.getLogger("session_fsm"), Records()
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler.held
    log.setLevel(logging.NOTSET)
    log.removeHandler(handler)


class TestLogging:
    """The logger ``session_fsm`` has one record for each trigger."""

    def test_a_trigger_that_succeeds_is_logged_at_debug(self, records: Any) -> None:
        session = session_in("open")
        records.clear()
        session.close()
        (record,) = records
        assert (record.levelname, record.name) == ("DEBUG", "session_fsm")
        assert record.getMessage() == "session 'order-1042': close, from open to closed"
        assert (record.session_id, record.trigger, record.source, record.target) == (
            "order-1042",
            "close",
            "open",
            "closed",
        )
        assert (record.event_name, record.update_count, record.codes) == ("talon_session_closed", 2, [])

    def test_a_creation_is_logged_too(self, records: Any) -> None:
        CustomerSession.create("order-1")
        (record,) = records
        assert record.getMessage() == "session 'order-1': create, from (new) to open"
        assert record.source is None

    def test_a_trigger_with_callbacks_is_logged_once(self, records: Any) -> None:
        kind = fresh()
        add_callback(kind, "before", lambda _: None)
        session = kind.create("order-1")
        records.clear()
        session.close()
        assert [record.trigger for record in records] == ["close"]

    @pytest.mark.parametrize(
        ("attempt", "trigger", "source", "codes"),
        [
            (lambda: session_in("open").reopen(), "reopen", "open", ["wrong_state"]),
            (lambda: session_in("cancelled").put(state="cancelled"), "cancel", "cancelled", ["wrong_state"]),
            (lambda: EarlySession.create("order-1").close(), "close", "open", ["too_early"]),
            (lambda: EarlySession.create("order-1", state="closed"), "create", None, ["too_early"]),
            (lambda: CustomerSession.create("order-1", state="cancelled"), "create", None, ["state_not_creatable"]),
            (lambda: fresh(rules=()).create("order-1", state="cancelled"), "create", None, ["wrong_state"]),
        ],
    )
    def test_a_refusal_is_logged_at_info(
        self, records: Any, attempt: Any, trigger: str, source: str | None, codes: list[str]
    ) -> None:
        with pytest.raises(SessionFSMError):
            attempt()
        (record,) = [record for record in records if record.levelno == logging.INFO]
        assert (record.trigger, record.source, record.codes) == (trigger, source, codes)
        assert record.getMessage().endswith(f"is refused: {', '.join(codes)}")
        assert records[-1] is record

    def test_a_rule_that_raised_is_logged_at_error_with_its_exception(self, records: Any) -> None:
        session = BrokenSession.create("order-1")
        records.clear()
        with pytest.raises(RuleViolated):
            session.close()
        (record,) = records
        assert record.levelname == "ERROR"
        assert record.getMessage() == "session 'order-1': close is refused, because rules raised exceptions: broken"
        assert str(record.exc_info[1]) == "no clock"

    def test_without_a_level_of_its_own_the_logger_has_refusals_alone(self, caplog: Any) -> None:
        caplog.set_level(logging.DEBUG)
        session = session_in("open")
        kind = fresh()
        add_callback(kind, "before", lambda _: None)
        kind.create("order-1").close()
        with pytest.raises(WrongState):
            session.reopen()
        assert [record.levelname for record in caplog.records if record.name == "session_fsm"] == ["INFO"]

    def test_above_the_level_nothing_is_logged(self, caplog: Any) -> None:
        caplog.set_level(logging.CRITICAL, logger="session_fsm")
        with pytest.raises(WrongState):
            session_in("open").reopen()
        assert caplog.records == []

    def test_a_dry_run_is_not_logged(self, records: Any) -> None:
        session = session_in("open")
        records.clear()
        assert not session.evaluate("reopen")
        session.board()
        assert records == []

    def test_a_program_that_configures_no_logging_prints_nothing(self) -> None:
        code = (
            "import logging, session_fsm\n"
            "log = logging.getLogger('session_fsm')\n"
            "assert (log.level, log.handlers, logging.getLogger().handlers) == (0, [], [])\n"
            "@session_fsm.rule('broken', on=['close'])\n"
            "def broken():\n    'Broken.'\n    raise RuntimeError\n"
            "class Shop(session_fsm.CustomerSession):\n    rules = (broken,)\n"
            "try:\n    Shop.create('a').close()\nexcept session_fsm.RuleViolated:\n    pass\n"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert (found.stdout, found.stderr) == ("", "")


class TestTracing:
    """OpenTelemetry gets one event for each trigger, when it is switched on."""

    @pytest.fixture
    def spans(self) -> Iterator[Any]:
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("tests")

        def events_of(call: Any) -> list[tuple[str, dict[str, Any]]]:
            with tracer.start_as_current_span("order"):
                call()
            (span,) = exporter.get_finished_spans()
            exporter.clear()
            return [(event.name, dict(event.attributes)) for event in span.events]

        yield events_of
        telemetry.disable()

    def test_every_trigger_is_an_event_of_the_current_span(self, spans: Any) -> None:
        telemetry.enable()
        telemetry.enable()  # again changes nothing

        def order() -> None:
            session = CustomerSession.create("order-1")
            session.close()
            with pytest.raises(WrongState):
                session.update()
            session.cancel()
            with pytest.raises(WrongState):
                session.put(state="cancelled")

        created, closed, refused, cancelled, again = spans(order)
        assert created[0] == "session_fsm.create"
        assert "session_fsm.source" not in created[1]
        assert closed == (
            "session_fsm.close",
            {
                "session_fsm.session_id": "order-1",
                "session_fsm.trigger": "close",
                "session_fsm.source": "open",
                "session_fsm.target": "closed",
                "session_fsm.event_name": "talon_session_closed",
                "session_fsm.update_count": 2,
                "session_fsm.refused": False,
            },
        )
        assert refused[1]["session_fsm.codes"] == ("wrong_state",)
        assert refused[1]["session_fsm.refused"] is True
        assert (cancelled[0], again[0]) == ("session_fsm.cancel", "session_fsm.cancel")

    def test_without_a_span_triggers_work_as_ever(self, spans: Any) -> None:
        telemetry.enable()
        assert CustomerSession.create("order-1").close().target == "closed"
        assert spans(lambda: None) == []

    def test_switched_off_there_are_no_events(self, spans: Any) -> None:
        assert spans(lambda: CustomerSession.create("order-1").close()) == []
        telemetry.enable()
        telemetry.disable()
        assert spans(lambda: CustomerSession.create("order-1").close()) == []

    def test_without_opentelemetry_enabling_says_what_to_install(self, monkeypatch: Any) -> None:
        monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
        with pytest.raises(SessionFSMError, match="install opentelemetry-api"):
            telemetry.enable()
