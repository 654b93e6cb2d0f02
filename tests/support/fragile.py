"""Session classes that kill the process that plays them, for tests of lost workers."""

import os
import signal
from pathlib import Path
from typing import Any

from traffic import NewShop


class Fragile(NewShop):
    """A class whose worker is killed once: when the file that the environment names is not there yet."""

    @classmethod
    def create(cls, *arguments: Any, **keywords: Any) -> Any:
        """Create a session, or end the process."""
        mark = Path(os.environ["SESSION_FSM_TEST_MARK"])
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().create(*arguments, **keywords)


class Doomed(NewShop):
    """A class that kills its worker each time."""

    @classmethod
    def create(cls, *_: Any, **__: Any) -> Any:
        """End the process."""
        os.kill(os.getpid(), signal.SIGKILL)
