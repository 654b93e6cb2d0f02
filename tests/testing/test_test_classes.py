"""Tests of the kit's test classes under pytest and unittest, with Hypothesis profiles, and with ``python -OO``."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from unittest import TestCase

import pytest
from hypothesis import HealthCheck, Phase, settings

from session_fsm import CustomerSession
from session_fsm.rules import coupon_code_required
from session_fsm.testing import RuleContract, SessionMachine

HEAD = """\
import unittest
from hypothesis import Phase, settings
from session_fsm import CustomerSession, Trigger, rule
from session_fsm.rules import coupon_code_required
from session_fsm.testing import RuleContract, SessionMachine
settings.register_profile("quick", max_examples=3, database=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("quick")
@rule("moody", on=[Trigger.CLOSE])
def moody(total):
    '''no sentence'''
    return "" if total else False
class Broken(CustomerSession):
    def board(self, **_):
        return {}
"""
BESIDE = """\
class TestShop(SessionMachine, unittest.TestCase):
    kind = CustomerSession
class TestCoupons(RuleContract, unittest.TestCase):
    rule = coupon_code_required
"""
OF_IT = """\
class Shop(SessionMachine):
    kind = CustomerSession
class Coupons(RuleContract):
    rule = coupon_code_required
TestShopOfIt, TestCouponsOfIt = Shop.TestCase, Coupons.TestCase
"""
WRONG = """\
class TestShop(SessionMachine, unittest.TestCase):
    kind = Broken
class TestMoody(RuleContract, unittest.TestCase):
    rule = moody
"""


def run(tmp_path: Path, code: str, *options: str) -> str:
    (tmp_path / "test_shop.py").write_text(HEAD + code, encoding="utf-8")
    command = [sys.executable, *options, "-m", "unittest", "test_shop"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


class TestUnittest:
    """The test classes run under unittest."""

    def test_every_test_is_run(self, tmp_path: Path) -> None:
        assert "Ran 16 tests" in (output := run(tmp_path, BESIDE + OF_IT))
        assert output.rstrip().endswith("OK")

    def test_faults_are_found_with_python_oo(self, tmp_path: Path) -> None:
        output = run(tmp_path, WRONG, "-OO")
        assert "the board has transitions by set()" in output
        assert "the rule answered an empty str" in output

    def test_the_test_case_of_a_class_is_created_once(self) -> None:
        class Shop(SessionMachine):
            """The shop."""

        class Corner(Shop):
            pass

        assert issubclass(Shop.TestCase, TestCase)
        assert Shop.TestCase is Shop.TestCase
        assert Shop.TestCase.TestCase is Shop.TestCase
        assert (Shop.TestCase.__name__, Shop.TestCase.__doc__) == ("Shop", "The shop.")
        assert issubclass(Corner.TestCase, Corner)

    def test_rules_can_use_test_case_methods(self) -> None:
        class Shop(SessionMachine, TestCase):
            kind = CustomerSession

        machine = Shop.machine()()
        with machine.subTest(), pytest.raises(AssertionError):
            machine.assertCountEqual([1], [2])  # noqa: PT009 - to have it is the test


class TestShopBeside(SessionMachine, TestCase):
    """pytest runs a class with both bases."""

    kind = CustomerSession
    settings = settings(SessionMachine.settings, max_examples=5)


class TestCouponsBeside(RuleContract, TestCase):
    rule = coupon_code_required
    settings = settings(RuleContract.settings, max_examples=5)


@pytest.fixture
def load(request: pytest.FixtureRequest):
    """Load a profile for one test."""
    before = settings._current_profile

    def load(**options: object) -> None:
        settings.register_profile("of_the_test", settings.get_profile("default"), **options)
        settings.load_profile("of_the_test")

    yield load
    settings.load_profile(before)


class TestProfiles:
    """Settings are read from the loaded profile when tests run."""

    @pytest.mark.parametrize("kind", [SessionMachine, RuleContract])
    def test_a_loaded_profile_applies_to_every_class(self, load, kind) -> None:
        load(
            max_examples=7,
            deadline=500,
            derandomize=True,
            stateful_step_count=9,
            database=None,
            phases=[Phase.generate],
            print_blob=True,
        )
        loaded = kind.settings
        assert (loaded.max_examples, loaded.deadline, loaded.derandomize) == (7, timedelta(milliseconds=500), True)
        assert (loaded.stateful_step_count, loaded.database, loaded.print_blob) == (9, None, True)
        assert loaded.phases == (Phase.generate,)
        assert set(loaded.suppress_health_check) == set(HealthCheck)

    @pytest.mark.parametrize("kind", [SessionMachine, RuleContract])
    def test_the_default_settings_are_relaxed(self, load, kind) -> None:
        load()
        assert kind.settings.deadline is None
        assert Phase.explain not in kind.settings.phases
        assert not kind.settings.report_multiple_bugs
        assert (SessionMachine.settings.stateful_step_count, RuleContract.settings.max_examples) == (20, 40)
        assert (RuleContract.settings.stateful_step_count, SessionMachine.settings.max_examples) == (50, 100)

    def test_settings_of_the_class_have_priority(self, load) -> None:
        class TestShop(SessionMachine):
            settings = settings(SessionMachine.settings, max_examples=5)

        load(max_examples=7)
        assert TestShop.settings.max_examples == TestShop.TestCase.settings.max_examples == 5

    def test_the_profile_sets_the_number_of_examples(self, load) -> None:
        class Counting(RuleContract):
            rule = coupon_code_required
            asked = 0

            def _check_total(self, case: object) -> None:
                Counting.asked += 1

        load(max_examples=3, database=None)
        Counting().test_never_raises()
        assert Counting.asked == 3
