"""Tests of the mutation runner: score, injection, commands that cannot run, interrupts."""

import json
import os
import sys
from importlib import import_module
from pathlib import Path

import pytest
from builders import fresh
from mutation_suites.bakery import BakerySession

import session_fsm
from session_fsm import CustomerSession, InvalidValue, SessionFSMError
from session_fsm.testing.mutation import injection as injection_module
from session_fsm.testing.mutation import runner as runner_module
from session_fsm.testing.mutation.injection import Injection, inject
from session_fsm.testing.mutation.mutants import mutants
from session_fsm.testing.mutation.processes import Runner
from session_fsm.testing.mutation.runner import (
    CannotRun,
    Result,
    Score,
    Verdict,
    examined,
    run_tests,
    sampled,
    with_pytest_options,
)

SUITES = Path(__file__).parents[2] / "support" / "mutation_suites"
PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "--noconftest",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
    "-p",
    "no:hypothesispytest",
]
# Without the options of this project, which name plugins that are disabled here.
PLAIN = [*PYTEST, "-o", "addopts=--import-mode=importlib"]


def python(text):
    return [sys.executable, "-c", text]


def of(kind, *names):
    return [mutant for mutant in mutants(kind) if mutant.id in names]


def holds(code, kind):
    """Whether a test of *code* passes for *kind*."""
    try:
        exec(code, {**vars(session_fsm), "pytest": pytest, kind.__name__: kind})
    except (AssertionError, SessionFSMError, pytest.fail.Exception):
        return False
    return True


def verdicts(score):
    return {result.mutant.id: result.verdict for result in score.results}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return the current directory, which contains the module `corner_shop`."""
    (tmp_path / "corner_shop.py").write_text(
        "import os\n"
        "from session_fsm import CustomerSession, rule\n"
        "@rule('too_small', on=['close'])\n"
        "def order_is_large(total):\n"
        "    'An order is large.'\n"
        "    return total >= 10\n"
        "class ShopSession(CustomerSession):\n"
        "    rules = () if 'PLAIN' in os.environ else (order_is_large,)\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield tmp_path
    sys.modules.pop("corner_shop", None)


@pytest.fixture
def shop(project):
    return import_module("corner_shop").ShopSession


class TestSuites:
    """The survivors of a weak and of a strong suite."""

    def test_a_weak_suite_has_survivors(self):
        score = run_tests(mutants(BakerySession, added=True), [*PLAIN, str(SUITES / "weak.py")])
        assert [result.mutant.id for result in score.survivors] == [
            "drop-rule:order_too_small",
            "drop-rule:coupon_code_required",
            "narrow-rule:coupon_code_required:create",
            "narrow-rule:coupon_code_required:close",
            "widen-rule:order_too_small:create",
            "change-limit:order_too_small:10:11",
            "change-limit:order_too_small:10:9",
        ]
        assert [result.mutant.id for result in score.killed] == [
            "negate-rule:order_too_small",
            "negate-rule:coupon_code_required",
            "widen-rule:coupon_code_required",
        ]
        assert round(score.percent, 1) == 30.0
        result_score = examined(score)
        assert len(result_score.survivors) == 7
        for result in result_score.survivors:
            assert holds(result.witness, BakerySession)
            assert not holds(result.witness, result.mutant.twin())

    def test_a_strong_suite_kills_every_mutant(self):
        found = mutants(BakerySession, added=True)
        seen = []
        score = run_tests(found, [*PLAIN, str(SUITES / "strong.py")], seen=seen.append)
        assert verdicts(score) == dict.fromkeys((mutant.id for mutant in found), Verdict.KILLED)
        assert (score.percent, score.planned, score.interrupted) == (100.0, 10, False)
        assert seen[0] is None
        assert {result.mutant.id for result in seen[1:]} == {mutant.id for mutant in found}


LARGE = "from corner_shop import ShopSession\nShopSession.create('x', cart_items=[]).{}\n"


class TestProcesses:
    """Every process of the test command has the mutant, however the class is imported."""

    def one(self, shop, command, **options):
        (result,) = run_tests(of(shop, "drop-rule:too_small"), command, **options).results
        return result.verdict

    def write_test(self, project, name="test_shop.py", module="corner_shop"):
        text = f"from {module} import ShopSession\ndef test_closing():\n"
        text += "    assert not ShopSession.create('x').evaluate('close')\n"
        (project / name).write_text(text, encoding="utf-8")

    def test_a_worker_of_xdist_has_the_mutant(self, project, shop):
        self.write_test(project)
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-n", "1"]
        assert self.one(shop, command) is Verdict.KILLED

    def test_a_class_whose_module_has_another_name_has_the_mutant(self, project, monkeypatch):
        """With importlib mode, pytest gives a test module another name."""
        folder = project / "rules"
        folder.mkdir()
        (folder / "test_own.py").write_text(
            "from session_fsm import CustomerSession, rule\n"
            "@rule('too_small', on=['close'])\n"
            "def order_is_large(total):\n"
            "    'An order is large.'\n"
            "    return total >= 10\n"
            "class ShopSession(CustomerSession):\n"
            "    rules = (order_is_large,)\n"
            "def test_closing():\n"
            "    assert __name__ == 'rules.test_own'\n"
            "    assert not ShopSession.create('x').evaluate('close')\n",
            encoding="utf-8",
        )
        monkeypatch.syspath_prepend(str(folder))
        kind = import_module("test_own").ShopSession
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--import-mode=importlib",
            "-p",
            "no:randomly",
            "-p",
            "no:xdist",
            "rules",
        ]
        assert self.one(kind, command) is Verdict.KILLED
        sys.modules.pop("test_own")

    def test_a_decorated_class_has_the_mutant(self, project):
        (project / "tenants.py").write_text(
            "import attrs\n"
            "from session_fsm import CustomerSession, rule\n"
            "@rule('too_small', on=['close'])\n"
            "def order_is_large(total, tenant):\n"
            "    'An order is large.'\n"
            "    return total >= 10\n"
            "@attrs.define(kw_only=True)\n"
            "class TenantSession(CustomerSession):\n"
            "    tenant: str\n"
            "    rules = (order_is_large,)\n",
            encoding="utf-8",
        )
        kind = import_module("tenants").TenantSession
        text = "from tenants import TenantSession\nassert not TenantSession.create('x', tenant='a').evaluate('close')"
        assert self.one(kind, python(text)) is Verdict.KILLED
        score = run_tests(of(kind, "drop-rule:too_small"), python("import tenants"))
        (result_score,) = examined(score, own={"tenant": "acme"}).results
        assert 'create("order-1", tenant="acme")' in result_score.witness
        with pytest.raises(InvalidValue, match="missing 1 required keyword-only argument: 'tenant'"):
            examined(score)
        sys.modules.pop("tenants")

    def test_a_process_that_a_test_starts_has_the_mutant(self, shop):
        inner = LARGE.format("close()")
        text = f"import subprocess, sys\nassert subprocess.run([sys.executable, '-c', {inner!r}], stderr=-3).returncode"
        assert self.one(shop, python(text)) is Verdict.KILLED

    def test_customer_session_itself_can_be_mutated(self):
        text = (
            "import session_fsm\nassert session_fsm.CustomerSession.create('x').close().name == 'talon_session_closed'"
        )
        score = run_tests(
            of(CustomerSession, "swap-event:T-04:talon_session_cancelled", "delete-row:T-04"), python(text)
        )
        assert {result.verdict for result in score.results} == {Verdict.KILLED}

    def test_no_further_module_is_imported(self):
        text = (
            "import sys, session_fsm\nassert not {'cattrs', 'session_fsm.testing', 'session_fsm.wire'} & {*sys.modules}"
        )
        (result,) = run_tests(of(CustomerSession, "drop-rule:too_many_units"), python(text)).results
        assert result.verdict is Verdict.SURVIVED

    def test_an_existing_sitecustomize_is_run_too(self, project, shop):
        (project / "sitecustomize.py").write_text("import builtins\nbuiltins.CUSTOM = 1\n", encoding="utf-8")
        text = "import corner_shop, sitecustomize\nassert CUSTOM\nassert 'session-fsm-' not in sitecustomize.__file__"
        assert self.one(shop, python(text)) is Verdict.SURVIVED

    def test_a_timeout_counts_as_killed(self, shop):
        text = "from corner_shop import ShopSession\nwhile ShopSession.create('x').evaluate('close'): pass"
        score = run_tests(of(shop, "drop-rule:too_small"), python(text), timeout=2, jobs=1)
        assert verdicts(score) == {"drop-rule:too_small": Verdict.TIMED_OUT}
        assert (len(score.killed), score.percent) == (1, 100.0)


class TestNoResult:
    """A run without the mutant counts neither as killed nor as survived."""

    @pytest.mark.parametrize(
        ("command", "reason"),
        [
            (python("raise SystemExit(3)"), "the command fails without any mutant, with exit status 3"),
            (python("import session_fsm"), "the tests never import corner_shop:ShopSession"),
            (["./no-such-program"], "./no-such-program cannot be run: No such file or directory"),
            (
                ["corner_shop.py"],
                "corner_shop.py cannot be run: No such file or directory; write: python -m pytest corner_shop.py",
            ),
            ([sys.executable, "-m", "pytest", "-p", "no:xdist", "."], "the command finds no tests"),
        ],
    )
    def test_a_command_that_gives_no_result_is_refused(self, shop, command, reason):
        with pytest.raises(CannotRun) as refusal:
            run_tests(mutants(shop), command)
        assert str(refusal.value) == refusal.value.reason == reason

    def test_the_end_of_the_output_is_kept(self, shop):
        text = "print(*range(100), sep='\\n'); raise SystemExit(1)"
        with pytest.raises(CannotRun) as refusal:
            run_tests(mutants(shop), python(text))
        assert refusal.value.output.splitlines() == [str(number) for number in range(70, 100)]

    def test_a_mutant_that_does_not_exist_in_the_process_is_not_tested(self, shop, monkeypatch):
        monkeypatch.setenv("PLAIN", "1")
        (result,) = run_tests(of(shop, "drop-rule:too_small"), python("import corner_shop; 1 / 1")).results
        assert result.verdict is Verdict.NOT_TESTED
        assert result.reason == "where the tests run, the class has no mutant drop-rule:too_small"

    def test_without_an_import_of_the_class_the_mutant_is_not_tested(self, project, shop):
        text = "import pathlib\np = pathlib.Path('seen')\nif not p.exists():\n    p.touch()\n    import corner_shop"
        score = run_tests(of(shop, "drop-rule:too_small"), python(text))
        (result,) = score.of(Verdict.NOT_TESTED)
        assert result.reason == "the tests did not import corner_shop:ShopSession"
        assert score.percent == 100.0

    def test_without_mutants_no_tests_run(self):
        assert run_tests([], ["./no-such-program"]) == Score((), 0)


class TestInterrupt:
    """An interrupt keeps the results so far."""

    def test_the_results_so_far_are_kept(self, shop):
        def interrupt(result):
            if result is not None:
                raise KeyboardInterrupt

        text = "import corner_shop"
        score = run_tests(mutants(shop), python(text), jobs=1, seen=interrupt)
        assert score.interrupted
        assert len(score.results) == 1
        assert score.planned == len(mutants(shop))

    def test_an_interrupted_examination_keeps_the_survivors(self, monkeypatch):
        survivors = tuple(Result(mutant, Verdict.SURVIVED) for mutant in mutants(BakerySession, added=True)[:2])

        def interrupted(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(runner_module, "compare", interrupted)
        score = examined(Score(survivors, 2))
        assert (score.interrupted, score.results) == (True, survivors)

    def test_nothing_is_started_after_a_stop(self, tmp_path):
        runner = Runner(["./no-such-program"])
        runner.stop()
        with pytest.raises(InterruptedError):
            runner.run(tmp_path, None)


class TestExamined:
    """A survivor has a witness, or counts as equivalent."""

    def test_an_equivalent_mutant_is_not_in_the_score(self):
        (mutant,) = of(CustomerSession, "add-row:new:create:cancelled")
        (killed, *_) = mutants(CustomerSession)
        score = Score((Result(killed, Verdict.KILLED), Result(mutant, Verdict.SURVIVED)), 2)
        assert score.percent == 50.0
        seen = []
        result_score = examined(score, tries=50, seen=seen.append)
        assert result_score.percent == 100.0
        (equivalent,) = result_score.of(Verdict.EQUIVALENT)
        assert seen == [equivalent]
        assert equivalent.reason == "no difference in 100 tries"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest tests", "pytest -x -q -p no:cacheprovider tests"),
        ("python -m pytest -x tests", "python -m pytest -q -p no:cacheprovider -x tests"),
        ("uv run /usr/bin/py.test --maxfail=1 -qq", "uv run /usr/bin/py.test -p no:cacheprovider --maxfail=1 -qq"),
        ("pytest --exitfirst --quiet -p no:cacheprovider", "pytest --exitfirst --quiet -p no:cacheprovider"),
        ("pytest -pno:cacheprovider", "pytest -x -q -pno:cacheprovider"),
        ("python -m unittest", "python -m unittest"),
    ],
)
def test_pytest_stops_at_the_first_failing_test(command, expected):
    assert with_pytest_options(command.split()) == expected.split()


def test_a_sample_is_even_and_deterministic():
    found = mutants(CustomerSession)
    assert sampled(found, 4) == [found[0], found[22], found[44], found[66]]
    assert sampled(found, 1000) == found


class TestPlanting:
    """The class is identified by its module, or by the file of its module."""

    def prepare(self, folder, kind, mutant):
        injection = Injection(folder)
        injection.prepare(kind, mutant)
        return injection

    def test_a_class_is_identified_by_module_or_file(self, tmp_path):
        injection = self.prepare(tmp_path, BakerySession, mutants(BakerySession)[0])
        assert injection.is_for(BakerySession)
        assert not injection.is_for(CustomerSession)
        names = {"__qualname__": "BakerySession"}
        sys.modules["another_name"] = sys.modules[BakerySession.__module__]
        try:
            assert injection.is_for(type("BakerySession", (CustomerSession,), names | {"__module__": "another_name"}))
        finally:
            del sys.modules["another_name"]
        assert not injection.is_for(type("BakerySession", (CustomerSession,), names | {"__module__": "nowhere"}))
        assert not injection.is_for(type("BakerySession", (CustomerSession,), names | {"__module__": "builders"}))

    def test_the_base_class_is_mutated_at_once(self, tmp_path):
        kind = fresh()
        (mutant,) = of(kind, "drop-rule:nothing_to_return")
        injection = self.prepare(tmp_path, kind, mutant)
        inject(kind, str(tmp_path))
        assert "nothing_to_return" not in [rule.code for rule in kind.rules]
        assert (injection.injected, injection.problem) == (True, "")
        inject(kind, str(tmp_path))
        assert injection.problem == "where the tests run, the class has no mutant drop-rule:nothing_to_return"

    def test_a_subclass_is_mutated_when_it_is_defined(self, tmp_path):
        base = fresh()
        kind = type("Kind", (base,), {})
        (mutant,) = of(kind, "drop-rule:nothing_to_return")
        injection = self.prepare(tmp_path, kind, mutant)
        inject(base, str(tmp_path))
        assert not injection.injected
        type("Other", (base,), {})
        assert not injection.injected
        again = type("Kind", (base,), {})
        assert len(again.rules) == len(kind.rules) - 1
        assert injection.injected

    def test_without_a_mutant_only_the_definition_of_the_class_is_noted(self, tmp_path):
        kind = fresh()
        injection = self.prepare(tmp_path, kind, None)
        inject(kind, str(tmp_path))
        assert injection.injected
        assert kind.rules == CustomerSession.rules
        assert json.loads((tmp_path / "mutant.json").read_text(encoding="utf-8"))["id"] is None

    def test_an_error_is_noted_and_not_raised(self, tmp_path, monkeypatch):
        def failing(_):
            raise RuntimeError("oh")

        kind = fresh()
        injection = self.prepare(tmp_path, kind, mutants(kind)[0])
        monkeypatch.setattr(injection_module, "mutants", failing)
        inject(kind, str(tmp_path))
        assert (injection.injected, injection.problem) == (False, "RuntimeError: oh")


def test_without_process_groups_the_process_is_killed(shop, monkeypatch):
    monkeypatch.delattr(os, "killpg")
    text = "from corner_shop import ShopSession\nwhile ShopSession.create('x').evaluate('close'): pass"
    score = run_tests(of(shop, "drop-rule:too_small"), python(text), timeout=2, jobs=1)
    assert verdicts(score) == {"drop-rule:too_small": Verdict.TIMED_OUT}
