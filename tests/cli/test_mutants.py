"""``session-fsm mutants``: its test runs, report and exit status."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import environment, on_terminal, program, run
from mutation_suites.bakery import BakerySession

from session_fsm import CustomerSession
from session_fsm.cli.commands import mutants as cli
from session_fsm.testing.mutation.mutants import mutants
from session_fsm.testing.mutation.runner import Result, Score, Verdict

BAKERY = ("--class", "mutation_suites.bakery:BakerySession", "--added")
CLOSING = "from mutation_suites.bakery import BakerySession\n"
SUPPORT = Path(__file__).parents[1] / "support"
STRONG = SUPPORT / "mutation_suites" / "strong.py"


@pytest.fixture(autouse=True)
def path(monkeypatch):
    """Pass the import path of this process on to the test processes."""
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))


def python(text):
    return ("--", sys.executable, "-c", CLOSING + text)


class TestList:
    """--list shows the mutants without running tests."""

    def test_all_mutants_are_listed_with_their_descriptions(self):
        result = run("mutants", "--list")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) == len(mutants(CustomerSession)) > 80
        assert "delete-row:T-08 " in result.output
        assert result.output.splitlines()[-1].endswith("  a cancelled session can be reopened")

    def test_kinds_a_sample_and_added_rules_can_be_selected(self):
        assert run("mutants", *BAKERY, "--list", "--kinds", "drop-rule, widen-rule").output == (
            "drop-rule:order_too_small          nothing is refused for order_too_small\n"
            "drop-rule:coupon_code_required     nothing is refused for coupon_code_required\n"
            "widen-rule:order_too_small:create  order_too_small also guards a creation into closed\n"
            "widen-rule:coupon_code_required    coupon_code_required also guards a creation into open\n"
        )
        assert len(run("mutants", "--list", "--sample", "5").output.splitlines()) == 5
        assert len(run("mutants", "--list", "--quick").output.splitlines()) == 12


class TestCalls:
    """A usage error is one line, with status 2."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((), "give the command that runs the tests, after --"),
            (("--kinds", "drop"), "there is no kind 'drop'; there are drop-rule, negate-rule"),
            (("--own", "["), "invalid value for '--own'"),
            (("--own", "5"), "'5' is not a JSON object"),
            (("--", "./no-such-program"), "./no-such-program cannot be run"),
        ],
    )
    def test_a_usage_error_is_reported(self, arguments, message):
        result = run("mutants", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr

    def test_options_of_the_command_that_runs_the_tests_are_its_own(self):
        result = run("mutants", "--kinds", "drop-rule", *BAKERY, sys.executable, "-c", CLOSING + "raise SystemExit(7)")
        assert result.stderr == "session-fsm: the command fails without any mutant, with exit status 7\n"

    def test_the_output_of_failing_tests_is_shown(self):
        result = run("mutants", *BAKERY, *python("print('broken'); raise SystemExit(1)"))
        assert result.exit_code == 2
        assert result.stderr == "broken\nsession-fsm: the command fails without any mutant, with exit status 1\n"


class TestReport:
    """Survivors are described, with Python for the missing test."""

    def test_a_strong_suite_kills_every_mutant(self, tmp_path):
        pytest_command = (sys.executable, "-m", "pytest", "--noconftest", "-p", "no:randomly", STRONG)
        result = run("mutants", *BAKERY, "--kinds", "drop-rule", "--json", tmp_path / "x.json", "--", *pytest_command)
        assert result.output == "BakerySession: 100.0 % of the mutants killed (2 killed)\n"
        assert result.exit_code == 0
        assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {
            "class": "mutation_suites.bakery:BakerySession",
            "percent": 100.0,
            "planned": 2,
            "interrupted": False,
            "mutants": [
                {
                    "id": f"drop-rule:{code}",
                    "kind": "drop-rule",
                    "text": f"nothing is refused for {code}",
                    "verdict": "killed",
                    "reason": None,
                    "witness": None,
                }
                for code in ("order_too_small", "coupon_code_required")
            ],
        }

    def test_a_survivor_is_shown_with_the_missing_test(self):
        text = "assert not BakerySession.create('x', coupon_codes=['A']).evaluate('close')"
        result = run("mutants", *BAKERY, "--kinds", "drop-rule", "--json", "-", *python(text))
        assert result.exit_code == 1
        text, _, document = result.output.partition("{\n")
        assert text == (
            "No test fails when\n"
            "\n"
            "- nothing is refused for coupon_code_required  [drop-rule:coupon_code_required]\n"
            "    This would fail:\n"
            "        with pytest.raises(RuleViolated) as refusal:\n"
            '            session = BakerySession.create("order-1", state="closed")\n'
            '        assert {violation.code for violation in refusal.value.violations} == {"coupon_code_required"}\n'
            "\n"
            "BakerySession: 50.0 % of the mutants killed (1 killed, 1 survived)\n"
        )
        assert json.loads("{" + document)["mutants"][1]["verdict"] == "survived"

    def test_every_verdict_is_reported(self, monkeypatch):
        killed, late, alike, lost, survivor, *_ = mutants(BakerySession, added=True)
        results = (
            Result(killed, Verdict.KILLED),
            Result(late, Verdict.TIMED_OUT),
            Result(alike, Verdict.EQUIVALENT, "no difference in 7 tries"),
            Result(lost, Verdict.NOT_TESTED, "the tests did not import it"),
        )

        def tested(_, __, *, seen, **___):
            seen(None)
            for result in results:
                seen(result)
            return Score(results, 4)

        monkeypatch.setattr(cli, "run_tests", tested)
        result = run("mutants", *BAKERY, "--", "x")
        assert result.exit_code == 2
        assert result.output == (
            "negate-rule:coupon_code_required could not be tested: the tests did not import it\n"
            "Equivalent, as far as a search can tell, and so left out of the score\n"
            "- order_too_small passes where it should refuse, and refuses where it should pass  "
            "[negate-rule:order_too_small]  no difference in 7 tries\n"
            "\n"
            "BakerySession: 100.0 % of the mutants killed (1 killed, 1 timed out, 1 equivalent, 1 not tested)\n"
        )
        score = Score((Result(survivor, Verdict.SURVIVED),), 9, interrupted=True)
        monkeypatch.setattr(cli, "run_tests", lambda *_, **__: score)
        result = run("mutants", *BAKERY, "--", "x")
        assert result.exit_code == 130
        assert "Interrupted after 1 of 9 mutants.\n" in result.output
        assert "This would" not in result.output

    def test_no_mutants_are_not_an_error(self):
        result = run("mutants", "--added", "--kinds", "widen-rule", "--", "x")
        assert result.output == "CustomerSession: 100.0 % of the mutants killed (there were none)\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_an_interrupt_keeps_the_results_and_stops_the_tests(tmp_path):
    """Of two mutants, the first is killed, and the tests of the second never end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = (
        "import os, signal\n"
        "session = BakerySession.create('x')\n"
        "codes = {violation.code for violation in session.evaluate('close').violations}\n"
        "assert 'order_too_small' in codes\n"
        "if len(codes) == 1:\n"
        f"    print(os.getpid(), file=open({str(pipe)!r}, 'w'), flush=True)\n"
        "    signal.pause()\n"
    )
    arguments = ("mutants", *BAKERY, "--kinds", "drop-rule", "--jobs", "1", *python(text))
    with subprocess.Popen(
        program(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONPATH=os.environ["PYTHONPATH"]),
    ) as process:
        child = int(pipe.read_text())
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, b"")
    assert output.decode() == (
        "Interrupted after 1 of 2 mutants.\nBakerySession: 100.0 % of the mutants killed (1 killed)\n"
    )
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_terminal_shows_a_progress_bar(monkeypatch):
    text = "assert not BakerySession.create('x', coupon_codes=['A']).evaluate('close')"
    shown = on_terminal(
        "mutants", *BAKERY, "--kinds", "drop-rule", *python(text), NO_COLOR="1", PYTHONPATH=os.environ["PYTHONPATH"]
    )
    assert "2/2" in shown
    assert "1 killed" in shown
    assert "BakerySession: 50.0 % of the mutants killed" in shown
