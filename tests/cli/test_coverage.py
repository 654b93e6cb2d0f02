"""``session-fsm coverage``: coverage data of several processes, merged and reported."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import cart, session_in
from command_line import run, start

from session_fsm import CustomerSession, RuleViolated, rule
from session_fsm.diagrams import render
from session_fsm.rules import coupon_code_required
from session_fsm.testing import Recorder, recording
from session_fsm.testing.coverage.report import FORMATS


@rule("<b>hostile\x1b[31m</b>", on=["close"])
def total_is_not_negative(total: Any) -> bool:
    """Says </main><script>alert(1)</script> \x1b[2J\u202e."""
    return bool(total >= 0)


@rule("odd_total", on=["close"])
def total_is_even(total: Any) -> bool:
    """The total is even."""
    return bool(total % 2 == 0)


class HostileSession(CustomerSession):
    rules = (total_is_not_negative, total_is_even)


class CouponSession(CustomerSession):
    rules = (coupon_code_required,)


COUPONS = ("--class", f"{__name__}:CouponSession")
BOTH = (*COUPONS, "--class", f"{__name__}:HostileSession")


def closed() -> Recorder:
    with recording() as recorder:
        CouponSession.create("x", coupon_codes=["A"]).close()
    return recorder


def refused() -> Recorder:
    with recording() as recorder:
        assert not CouponSession.create("x").evaluate("close")
        assert not CustomerSession.create("x").evaluate("update", cart_items=cart(10_001))
    return recorder


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """Return a directory with the coverage data of two processes."""
    folder = tmp_path / "counts"
    folder.mkdir()
    (folder / "one.json").write_text(closed().to_json(), encoding="utf-8")
    (folder / "two.json").write_text(refused().to_json(), encoding="utf-8")
    (folder / "notes.txt").write_text("not a recording", encoding="utf-8")
    return folder


class TestMerge:
    """Files and directories are merged."""

    def test_the_files_of_a_directory_are_merged(self, counts: Path) -> None:
        result = run("coverage", counts, *COUPONS)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"{__name__}:CouponSession: 33.3 %, 4 of 12 rows and rule outcomes exercised\n")
        assert result.stdout == (closed() + refused()).report(CouponSession)

    def test_single_files_are_merged(self, counts: Path) -> None:
        one = run("coverage", counts / "one.json", *COUPONS)
        assert " 25.0 %, 3 of 12 rows" in one.stdout
        both = run("coverage", counts / "one.json", counts / "two.json", *COUPONS)
        assert both.stdout == run("coverage", counts, *COUPONS).stdout
        piped = run("coverage", counts / "one.json", "-", *COUPONS, stdin=refused().to_json())
        assert piped.stdout == both.stdout

    def test_the_default_class_is_customer_session(self, counts: Path) -> None:
        result = run("coverage", counts)
        assert result.stdout.startswith("session_fsm.session:CustomerSession: 21.4 %, 6 of 28 rows and ")
        without_subclasses = run("coverage", counts, "--without-subclasses")
        assert without_subclasses.stdout.startswith("session_fsm.session:CustomerSession: 17.8 %, 5 of 28 rows and ")

    def test_several_classes_are_reported_in_order(self, counts: Path) -> None:
        result = run("coverage", counts, *BOTH)
        assert result.stdout.index("CouponSession: 33.3 %") < result.stdout.index("HostileSession: 0.0 %")


class TestFormats:
    """The report has several formats."""

    def test_a_json_report_can_be_read_again(self, counts: Path) -> None:
        result = run("coverage", counts, *COUPONS, "--format", "json")
        assert result.exit_code == 0
        (report,) = json.loads(result.stdout)["coverage"]
        assert (report["class"], report["percent"]) == (f"{__name__}:CouponSession", 33.3)
        assert (report["reached"], report["possible"]) == (4, 12)
        assert report["counts"]["coupon_code_required:violated"] == 1
        assert report["refused"]["reopen from open"] == 0
        assert [gap["goal"] for gap in report["missing"]][:3] == ["T-02", "T-03", "T-05"]
        assert "CouponSession.create(" in report["missing"][0]["code"]
        assert report["excused"] == []
        assert run("coverage", "-", *COUPONS, "--format", "json", stdin=result.stdout).stdout == result.stdout

    def test_a_picture_shows_the_counts(self, counts: Path) -> None:
        result = run("coverage", counts, *COUPONS, "--format", "svg")
        coverage = (closed() + refused()).of(CouponSession)
        assert result.stdout == render(CouponSession, "svg", coverage=coverage.counts)
        assert "Tested: 2 of 10 transitions, 2 of 2 rule outcomes" in result.stdout

    @pytest.mark.parametrize("name", FORMATS)
    def test_every_format_is_supported(self, name: str, counts: Path, tmp_path: Path) -> None:
        path = tmp_path / f"report.{name}"
        result = run("coverage", counts, *COUPONS, "--format", name, "-o", path)
        assert (result.exit_code, result.stdout) == (0, f"wrote {path}\n")
        assert path.read_bytes().decode() == run("coverage", counts, *COUPONS, "--format", name, "-o", "-").stdout

    def test_several_classes_get_a_file_each(self, counts: Path, tmp_path: Path) -> None:
        result = run("coverage", counts, *BOTH, "--format", "html", "-o", tmp_path / "report.html")
        assert result.exit_code == 0
        names = [f"report.{__name__}-{name}.html" for name in ("CouponSession", "HostileSession")]
        assert sorted(path.name for path in tmp_path.glob("*.html")) == names
        assert run("coverage", counts, *BOTH, "--format", "json", "-o", tmp_path / "report.json").exit_code == 0
        assert len(json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["coverage"]) == 2

    def test_several_classes_on_standard_output_are_refused_for_html(self, counts: Path) -> None:
        result = run("coverage", counts, *BOTH, "--format", "html")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "a report as html is of one class, not of 2" in result.stderr


class TestHostile:
    """Texts of rules are escaped."""

    def test_a_page_escapes_hostile_text(self) -> None:
        page = Recorder().report(HostileSession, format="html")
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert "\x1b" not in page
        assert "&lt;b&gt;hostile" in page
        assert page.count("</main>") == 1
        assert page == Recorder().report(HostileSession, format="html")

    def test_a_terminal_escapes_hostile_text(self) -> None:
        shown = Recorder().report(HostileSession)
        assert "<b>hostile\\x1b[31m</b> never passed" in shown
        assert shown.replace("\n", "").isprintable()


class TestFailUnder:
    """Less coverage than --fail-under is one line, with status 1."""

    def test_less_than_fail_under_is_status_1(self, counts: Path) -> None:
        result = run("coverage", counts, *COUPONS, "--fail-under", "33.4")
        assert result.exit_code == 1
        message = (
            f"session-fsm: {__name__}:CouponSession: 33.3 %, 4 of 12 rows and rule outcomes exercised, and 33.4 % is"
        )
        assert result.stderr == f"{message} required\n"
        assert run("coverage", counts, *COUPONS, "--fail-under", "33.3").exit_code == 0

    def test_every_class_must_reach_fail_under(self, counts: Path) -> None:
        result = run("coverage", counts, *BOTH, "--fail-under", "20")
        assert result.exit_code == 1
        assert "HostileSession: 0.0 %" in result.stderr
        assert "CouponSession" not in result.stderr

    def test_full_coverage_is_100_percent(self, tmp_path: Path) -> None:
        with recording() as recorder:
            for state in ("open", "closed", "partially_returned", "cancelled"):
                session = session_in(state, CouponSession)
                for trigger in session.allowed_triggers:
                    copied = session_in(state, CouponSession)
                    copied.return_items([]) if trigger == "return_items" else getattr(copied, trigger)()
            CouponSession.create("x", state="closed", coupon_codes=["A"])
            with pytest.raises(RuleViolated):
                CouponSession.create("x", state="closed")
        path = tmp_path / "counts.json"
        path.write_text(recorder.to_json(), encoding="utf-8")
        result = run("coverage", path, *COUPONS, "--fail-under", "100")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.startswith(
            f"{__name__}:CouponSession: 100.0 %, 12 of 12 rows and rule outcomes exercised\n"
        )
        assert "Missing" not in result.stdout

    @pytest.mark.parametrize("bar", ["-1", "101", "much"])
    def test_an_invalid_fail_under_is_status_2(self, counts: Path, bar: str) -> None:
        assert run("coverage", counts, "--fail-under", bar).exit_code == 2


class TestUnreadable:
    """A file that cannot be read is one line, with status 2."""

    def test_a_file_that_is_not_coverage_data(self, counts: Path) -> None:
        result = run("coverage", counts / "notes.txt")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "notes.txt: the document is not JSON" in result.stderr
        result = run("coverage", "-", stdin="{}")
        assert result.stderr == "session-fsm: standard input: /format: this is no session-fsm recording\n"

    def test_a_missing_file(self, tmp_path: Path) -> None:
        result = run("coverage", tmp_path / "none.json")
        assert result.exit_code == 2
        assert "none.json: No such file or directory" in result.stderr

    def test_a_directory_without_json_files(self, tmp_path: Path) -> None:
        result = run("coverage", tmp_path)
        assert result.exit_code == 2
        assert result.stderr == f"session-fsm: {tmp_path} holds no .json file\n"

    def test_a_file_that_cannot_be_written(self, counts: Path) -> None:
        result = run("coverage", counts, "-o", counts / "none" / "report.txt")
        assert result.exit_code == 2
        assert "No such file or directory" in result.stderr

    def test_a_class_that_does_not_exist(self, counts: Path) -> None:
        result = run("coverage", counts, "--class", "session_fsm:CustomerSession", "--class", "session_fsm:Shop")
        assert result.exit_code == 2
        assert "invalid value for '--class': the module 'session_fsm' has no 'Shop'" in result.stderr


def test_the_program_needs_neither_pytest_nor_hypothesis(counts: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['pytest'] = sys.modules['hypothesis'] = None\n"
        "from session_fsm.__main__ import main\n"
        f"sys.argv = ['session-fsm', 'coverage', {str(counts)!r}]\n"
        "main()\n"
    )
    path = counts.parent / "run.py"
    path.write_text(code, encoding="utf-8")
    result = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert "CustomerSession: 21.4 %" in result.stdout


def test_the_program_reports_and_sets_the_status(counts: Path) -> None:
    result = start("coverage", counts, "--fail-under", "100")
    assert result.returncode == 1
    assert result.stderr.startswith(b"session-fsm: session_fsm.session:CustomerSession: 21.4 %")
