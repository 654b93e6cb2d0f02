"""How hypothesis runs here: without deadlines, because machines differ, the same in every run,
without leaving files behind, and without explaining by variants why the simplest fails, which takes longest of all."""

import signal
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "tests",
    deadline=None,
    database=None,
    derandomize=True,
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")

# A shell that runs the tests in the background has them ignore interrupts, and the programs that they start and stop too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The benchmarks are no part of the package. Their place comes last, so that what is installed is tested.
sys.path.append(str(Path(__file__).parent.parent))
