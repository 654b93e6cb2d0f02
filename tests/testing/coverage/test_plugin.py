"""Tests of the pytest plugin: reports, minimum coverage, several processes, options."""

import json
import sys

import pytest

from session_fsm.testing import Recorder

pytest_plugins = "pytester"

SHOP = '''
from session_fsm import CustomerSession, Trigger, rule

@rule("minimum_order_missed", on=[Trigger.CLOSE])
def order_is_worth_ten(total):
    """An order must be worth at least 10 <b>&\\x1b[31m</b>."""
    return total >= 10

class ShopSession(CustomerSession):
    rules = (order_is_worth_ten,)
'''

WEAK = """
import pytest
from session_fsm import CartItem, RuleViolated
from shop import ShopSession

CART = [CartItem(sku="PEN", quantity=4, price="2.50")]

def test_a_cart_becomes_an_order():
    assert ShopSession.create("order-1", cart_items=CART).close().target == "closed"
"""

REST = """
import pytest
from session_fsm import CartItem, ReturnedCartItem, RuleViolated
from shop import ShopSession

CART = [CartItem(sku="PEN", quantity=4, price="2.50")]
ONE = [ReturnedCartItem(position=0, quantity=1)]

def test_a_cheap_order_is_refused():
    with pytest.raises(RuleViolated):
        ShopSession.create("order-1").close()

def test_an_order_is_reopened_changed_and_cancelled():
    session = ShopSession.create("order-1", state="closed")
    session.reopen()
    session.update(cart_items=CART)
    session.cancel()

def test_items_are_returned_until_the_order_is_cancelled():
    session = ShopSession.create("order-1", cart_items=CART, state="closed")
    session.return_items(ONE)
    session.return_items(ONE)
    session.cancel()

def test_an_order_is_cancelled():
    ShopSession.create("order-1", state="closed").cancel()
"""

ON = ("-p", "session_fsm.testing.plugin", "-p", "no:cacheprovider")
SHOP_CLASS = ("--session-fsm-class", "shop:ShopSession")
FAIL_UNDER = ("--session-fsm-fail-under", "100")
HEADING = "*session-fsm: coverage of the definition*"
GOALS = 10 + 2  # ten rows, one rule


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a project with a shop and a weak suite."""
    pytester.makepyfile(shop=SHOP, test_weak=WEAK)
    pytester.syspathinsert()
    return pytester


def run(project: pytest.Pytester, *arguments: object) -> pytest.RunResult:
    """Run pytest in this process."""
    return project.runpytest_inprocess(*ON, *map(str, arguments))


def start(project: pytest.Pytester, *arguments: object) -> pytest.RunResult:
    """Run pytest in a new process, as a user does."""
    return project.runpytest_subprocess(*ON, *map(str, arguments))


class TestReport:
    """Reports list what a suite did not exercise."""

    def test_the_report_lists_what_is_missing(self, project: pytest.Pytester) -> None:
        result = run(project, *SHOP_CLASS, "--session-fsm-cov")
        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(
            [
                HEADING,
                "shop:ShopSession: 25.0 %, 3 of 12 rows and rule outcomes exercised",
                "  T-01  (new) -> create -> open  * 1",
                "  T-02  (new) -> create -> closed  * never",
                "  T-04  open -> close -> closed  * 1",
                "  minimum_order_missed *  1 *  never *  0",
                "  Of 12 triggers that the table does not have from a state, 0 were tried; not: return_items, reopen from*",
                "Missing",
                "  T-02 (new) -> create -> closed never took place",
                "  for example:",
                '      session = ShopSession.create("order-1", state="closed")',
                "  minimum_order_missed never refused",
                "  for example:",
                "          session.close()",
                "*1 passed*",
            ]
        )

    def test_pasted_examples_complete_the_coverage(self, project: pytest.Pytester) -> None:
        """The examples of a report, pasted unchanged, exercise everything that was missing."""
        weak = run(project, *SHOP_CLASS, "--session-fsm-report", "json:report.json")
        assert weak.ret == pytest.ExitCode.OK
        (report,) = json.loads((project.path / "report.json").read_text(encoding="utf-8"))["coverage"]
        assert (len(report["missing"]), report["excused"]) == (GOALS - 3, [])
        examples = [
            "import pytest\nfrom session_fsm import *\nfrom shop import ShopSession",
            *(
                f"def test_{place}():\n" + "".join(f"    {line}\n" for line in gap["code"].splitlines())
                for place, gap in enumerate(report["missing"])
            ),
        ]
        project.makepyfile(test_pasted="\n\n".join(examples))
        result = run(project, *SHOP_CLASS, *FAIL_UNDER)
        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(["shop:ShopSession: 100.0 %, 12 of 12 rows and rule outcomes exercised"])
        result.stdout.no_fnmatch_line("Missing")

    def test_reports_in_several_formats_are_written(self, project: pytest.Pytester) -> None:
        kinds = ["html", "svg", "json", "mermaid", "term"]
        reports = [f"--session-fsm-report={kind}:out/report.{kind}" for kind in kinds]
        result = run(project, *SHOP_CLASS, *reports)
        assert result.ret == pytest.ExitCode.OK
        for kind in kinds:
            result.stdout.fnmatch_lines([f"{kind} report written to out/report.{kind}".replace("/", "?")])
        texts = {kind: (project.path / f"out/report.{kind}").read_text(encoding="utf-8") for kind in kinds}
        assert "NEVER TESTED" in texts["mermaid"].replace("\xa0", " ")
        assert texts["svg"].startswith("<svg")
        assert Recorder.from_json(texts["json"]).to_json()
        assert "<bdi>minimum_order_missed never refused</bdi>" in texts["html"]
        assert "  minimum_order_missed never refused\n  for example:" in texts["term"]
        assert "<b>" not in texts["html"]
        assert "\x1b" not in texts["html"] + texts["term"] + "".join(result.outlines)

    def test_several_classes_have_a_page_each(self, project: pytest.Pytester) -> None:
        report = "--session-fsm-report=html:report.html"
        project.makepyfile(stall="from shop import ShopSession\nclass StallSession(ShopSession): rules = ()\n")
        result = run(project, *SHOP_CLASS, "--session-fsm-class", "stall:StallSession", report)
        assert result.ret == pytest.ExitCode.OK
        names = {path.name for path in project.path.glob("*.html")}
        assert names == {"report.shop-ShopSession.html", "report.stall-StallSession.html"}

    def test_the_default_class_includes_its_subclasses(self, project: pytest.Pytester) -> None:
        project.makepyfile(
            test_plain="""
            from session_fsm import CartItem, CustomerSession
            def test_it():
                update = CustomerSession.create("x").evaluate("update", cart_items=[CartItem(sku="A", quantity=10_001)])
                assert not update
            """
        )
        result = start(project, "--session-fsm-cov")
        result.stdout.fnmatch_lines(["session_fsm.session:CustomerSession: 21.4 %, 6 of 28 rows and *"])
        result = start(project, "--session-fsm-cov", "--session-fsm-without-subclasses")
        result.stdout.fnmatch_lines(["session_fsm.session:CustomerSession: 17.8 %, 5 of 28 rows and *"])

    def test_sessions_created_at_import_time_count(self, project: pytest.Pytester) -> None:
        project.makepyfile(test_weak="from shop import ShopSession\nShopSession.create('x')\ndef test_it(): pass\n")
        result = run(project, *SHOP_CLASS, "--session-fsm-cov")
        result.stdout.fnmatch_lines(["  T-01  (new) -> create -> open  * 1"])


class TestFailUnder:
    """A run fails below the minimum coverage."""

    def test_coverage_below_the_minimum_fails_the_run(self, project: pytest.Pytester) -> None:
        result = run(project, *SHOP_CLASS, *FAIL_UNDER)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            ["ERROR: session-fsm: shop:ShopSession: 25.0 %, 3 of 12 rows and rule outcomes exercised, and 100 % is *"]
        )

    def test_coverage_at_the_minimum_passes(self, project: pytest.Pytester) -> None:
        assert run(project, *SHOP_CLASS, "--session-fsm-fail-under", "25").ret == pytest.ExitCode.OK

    def test_a_complete_suite_passes(self, project: pytest.Pytester) -> None:
        project.makepyfile(test_rest=REST)
        result = run(project, *SHOP_CLASS, *FAIL_UNDER)
        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(["shop:ShopSession: 100.0 %, 12 of 12 rows and rule outcomes exercised"])

    def test_the_minimum_applies_without_the_terminal_plugin(self, project: pytest.Pytester) -> None:
        assert start(project, *SHOP_CLASS, *FAIL_UNDER, "-p", "no:terminal").ret == pytest.ExitCode.TESTS_FAILED

    def test_failing_tests_keep_their_exit_status(self, project: pytest.Pytester) -> None:
        project.makepyfile(test_bad="def test_it(): assert False\n")
        result = run(project, *SHOP_CLASS, *FAIL_UNDER)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["ERROR: session-fsm: *"])

    @pytest.mark.parametrize(
        ("arguments", "status"),
        [
            (["--collect-only"], pytest.ExitCode.OK),
            (["-k", "nothing"], pytest.ExitCode.NO_TESTS_COLLECTED),
            (["--help"], pytest.ExitCode.OK),
            (["nowhere"], pytest.ExitCode.USAGE_ERROR),
        ],
    )
    def test_without_executed_tests_there_is_no_report(
        self, project: pytest.Pytester, arguments: list[str], status: pytest.ExitCode
    ) -> None:
        result = run(project, *SHOP_CLASS, *FAIL_UNDER, *arguments)
        assert result.ret == status
        result.stdout.no_fnmatch_line(HEADING)


class TestProcesses:
    """Counts of workers and of several runs are added."""

    def test_counts_of_workers_are_added(self, project: pytest.Pytester) -> None:
        project.makepyfile(test_rest=REST)
        result = start(project, *SHOP_CLASS, *FAIL_UNDER, "-n", "2", "-p", "xdist")
        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(["shop:ShopSession: 100.0 %, 12 of 12 rows and rule outcomes exercised"])

    def test_a_crashed_worker_is_reported(self, project: pytest.Pytester) -> None:
        project.makepyfile(test_bad="import os\ndef test_it(): os._exit(3)\n")
        result = start(project, *SHOP_CLASS, "--session-fsm-cov", "-n", "1", "-p", "xdist", "--max-worker-restart", "0")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["ERROR: session-fsm: what worker gw0 recorded is lost, because it crashed*"])

    def test_data_files_of_several_runs_are_added(self, project: pytest.Pytester) -> None:
        project.makepyfile(test_rest=REST)
        for name in ("test_weak.py", "test_rest.py"):
            result = run(project, name, "--session-fsm-data", "counts")
            assert result.ret == pytest.ExitCode.OK
            result.stdout.fnmatch_lines(["counts written to counts?recording-*.json"])
            result.stdout.no_fnmatch_line("*exercised*")
        files = list((project.path / "counts").glob("*.json"))
        assert len(files) == 2
        command = ["coverage", "counts", "--class", "shop:ShopSession", "--fail-under", "100"]
        whole = project.run(sys.executable, "-m", "session_fsm", *command)
        assert whole.ret == 0
        whole.stdout.fnmatch_lines(["shop:ShopSession: 100.0 %, 12 of 12 rows and rule outcomes exercised"])
        files[0].unlink()
        assert project.run(sys.executable, "-m", "session_fsm", *command).ret == 1


class TestOptions:
    """Options on the command line and in the configuration file."""

    def test_without_options_nothing_is_recorded(self, project: pytest.Pytester) -> None:
        project.makepyfile(
            test_off="""
            from session_fsm.machine import LifecycleEvent
            def test_it():
                assert LifecycleEvent.fire.__module__ == "session_fsm.machine.triggers"
                assert not hasattr(LifecycleEvent.fire, "__wrapped__")
            """
        )
        result = start(project, *SHOP_CLASS)
        result.assert_outcomes(passed=2)
        result.stdout.no_fnmatch_line(HEADING)

    def test_conftest_and_configuration_file_enable_the_plugin(self, project: pytest.Pytester) -> None:
        project.makeconftest('pytest_plugins = ["session_fsm.testing.plugin"]')
        project.makeini(
            """
            [pytest]
            session_fsm_cov = true
            session_fsm_class =
                shop:ShopSession
            session_fsm_fail_under = 26
            session_fsm_report =
                term
                json:report.json
            session_fsm_data = counts
            session_fsm_without_subclasses = false
            """
        )
        result = project.runpytest_subprocess()
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["shop:ShopSession: 25.0 %, *", "ERROR: session-fsm: *, and 26 % is required"])
        assert (project.path / "report.json").exists()
        assert list((project.path / "counts").glob("*.json"))
        assert project.runpytest_subprocess("--session-fsm-fail-under", "20").ret == pytest.ExitCode.OK

    def test_the_fixture_records_one_test(self, project: pytest.Pytester) -> None:
        project.makepyfile(
            test_fixture="""
            from session_fsm import CustomerSession
            def test_it(session_fsm_recorder):
                CustomerSession.create("x")
                assert session_fsm_recorder.of(CustomerSession).rows["T-01"] == 1
            """
        )
        run(project, "test_fixture.py", "-p", "no:randomly").assert_outcomes(passed=1)

    def test_it_works_together_with_pytest_cov_and_pytest_randomly(
        self, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("COVERAGE_FILE", raising=False)  # do not write into the data of an outer run
        project.makepyfile(test_rest=REST)
        result = start(project, *SHOP_CLASS, *FAIL_UNDER, "--cov=shop", "-p", "randomly", "-p", "pytest_cov")
        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(["shop.py * 100%"])

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["--session-fsm-report", "a.svg"], "*there is no format 'a.svg'; did you mean svg:a.svg?"),
            (["--session-fsm-report", "gif:x"], "--session-fsm-report: there is no format 'gif'; there are term, *"),
            (["--session-fsm-report", "html"], "--session-fsm-report: html needs a file, as in html:coverage.html"),
            (["--session-fsm-fail-under", "many"], "--session-fsm-fail-under: 'many' is not a number from 0 to 100"),
            (["--session-fsm-fail-under", "101"], "--session-fsm-fail-under: '101' is not a number from 0 to 100"),
            (["--session-fsm-fail-under", "nan"], "--session-fsm-fail-under: 'nan' is not a number from 0 to 100"),
            (
                ["--session-fsm-cov", "--session-fsm-class", "shop"],
                "--session-fsm-class: 'shop' does not look like package.module:ShopSession; did you mean shop:ShopSession?",
            ),
            (
                ["--session-fsm-cov", "--session-fsm-class", "shop:Shop"],
                "--session-fsm-class: the module 'shop' has no 'Shop'; it has ShopSession",
            ),
        ],
    )
    def test_a_wrong_option_is_reported_before_any_test_runs(
        self, project: pytest.Pytester, arguments: list[str], complaint: str
    ) -> None:
        result = run(project, *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: {complaint}"])
        result.stdout.no_fnmatch_line("*passed*")

    def test_a_report_that_cannot_be_written_is_an_error(self, project: pytest.Pytester) -> None:
        (project.path / "taken").write_text("", encoding="utf-8")
        result = run(project, *SHOP_CLASS, "--session-fsm-report", "json:taken/report.json")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stdout.fnmatch_lines(["ERROR: session-fsm: *taken*"])

    def test_with_workers_a_wrong_class_is_reported_at_the_end(self, project: pytest.Pytester) -> None:
        arguments = ["--session-fsm-cov", "--session-fsm-class", "shop:Shop", "-p", "xdist", "-n", "1"]
        result = start(project, *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stdout.fnmatch_lines(["ERROR: session-fsm: the module 'shop' has no 'Shop'; it has ShopSession"])
