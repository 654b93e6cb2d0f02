"""Tests of `Clock`."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from session_fsm import CartItem, CustomerSession, InvalidValue, ReturnedCartItem, changes
from session_fsm.testing import BEGINNING, Clock

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class TestReading:
    def test_the_time_changes_only_by_set_or_advance(self) -> None:
        clock = Clock(NOON)
        assert clock() == clock() == clock.time == NOON
        assert clock.advance(minutes=5) == clock() == NOON + timedelta(minutes=5)
        assert clock.advance(timedelta(seconds=-1), hours=1) == NOON + timedelta(hours=1, minutes=5, seconds=-1)

    def test_the_default_start_is_that_of_stories(self) -> None:
        assert Clock()() == BEGINNING

    def test_only_a_reading_advances_the_clock_by_its_step(self) -> None:
        clock = Clock(NOON, step=timedelta(seconds=1))
        assert [clock(), clock.now(), clock.time, clock()] == [NOON + timedelta(seconds=s) for s in (0, 1, 2, 2)]

    def test_it_can_be_set_to_an_earlier_time(self) -> None:
        clock = Clock(NOON)
        assert clock.set(BEGINNING) == clock() == BEGINNING

    def test_it_returns_the_time_in_any_zone(self) -> None:
        read = Clock(NOON).now(timezone(timedelta(hours=2)))
        assert read == NOON
        assert read.isoformat() == "2026-05-04T14:00:00+02:00"

    def test_the_repr_shows_the_time(self) -> None:
        assert repr(Clock(NOON)) == "<Clock at 2026-05-04T12:00:00+00:00>"


class TestInvalidTimes:
    """D-12: times have a time zone."""

    @pytest.mark.parametrize(
        ("do", "pointer", "problem"),
        [
            (lambda: Clock(datetime(2026, 1, 1)), "/start", "2026-01-01T00:00:00 has no time zone"),
            (lambda: Clock("noon"), "/start", "a string is not a time"),
            (lambda: Clock(step=5), "/step", "a number is not a timedelta"),
            (lambda: Clock().set(datetime(2026, 1, 1)), "/time", "2026-01-01T00:00:00 has no time zone"),
            (lambda: Clock().advance(days=10**7), "/by", "leads out of the years that a time can have"),
            (lambda: Clock().advance(days=10**12), "/by", "leads out of the years that a time can have"),
        ],
    )
    def test_an_invalid_time_is_refused(self, do: object, pointer: str, problem: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            do()
        assert (refusal.value.pointer, refusal.value.problem) == (pointer, problem)

    @pytest.mark.parametrize("do", [lambda: Clock().advance(5), lambda: Clock().advance(fortnights=1)])
    def test_an_invalid_timedelta_is_refused(self, do: object) -> None:
        with pytest.raises(InvalidValue, match="/by: is no span of time"):
            do()

    def test_a_refused_time_leaves_the_clock_unchanged(self) -> None:
        clock = Clock(NOON)
        for wrong in (datetime(2026, 1, 1), None):
            with pytest.raises(InvalidValue):
                clock.set(wrong)
        assert clock() == NOON


class TestProcessClock:
    def test_verbs_without_now_use_the_clock(self) -> None:
        with Clock(NOON) as clock:
            session = CustomerSession.create("order-1", cart_items=[CartItem(sku="A", quantity=1)])
            clock.advance(minutes=1)
            session.update(coupon_codes=["XMAS"])
            clock.advance(minutes=1)
            decision = session.evaluate("close")
            session.close()
            clock.advance(minutes=1)
            session.return_items([ReturnedCartItem(position=0)])
        assert [event.at.minute for event in session.take_events()] == [0, 1, 2, 3]
        assert decision.after.updated == NOON + timedelta(minutes=2)
        assert session.created == NOON

    def test_now_has_priority(self) -> None:
        with Clock(NOON):
            assert CustomerSession.create("order-1", now=BEGINNING).created == BEGINNING

    def test_the_previous_clock_is_restored(self) -> None:
        before = changes.time_source
        outer, inner = Clock(NOON), Clock(BEGINNING)
        with outer:
            with inner, outer:
                assert CustomerSession.create("order-1").created == NOON
            with inner:
                assert CustomerSession.create("order-1").created == BEGINNING
            assert changes.time_source is outer
        assert changes.time_source is before is datetime

    def test_the_previous_clock_is_restored_after_an_error(self) -> None:
        with pytest.raises(ZeroDivisionError), Clock(NOON):
            raise ZeroDivisionError
        assert changes.time_source is datetime

    def test_threads_share_it(self) -> None:
        made = []
        with Clock(NOON):
            thread = threading.Thread(target=lambda: made.append(CustomerSession.create("order-1").created))
            thread.start()
            thread.join()
        assert made == [NOON]

    def test_without_a_clock_verbs_use_the_current_time(self) -> None:
        before = datetime.now(UTC)
        assert before <= CustomerSession.create("order-1").created <= datetime.now(UTC)
