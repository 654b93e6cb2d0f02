"""Functions that call the command in tests: in this process, or as a program; and recordings to replay."""

import json
import os
import pty
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from session_fsm.cli import command

# Removes variables that control colours and widths, so that tests do not depend on the developer's shell.
_CLEAN = dict.fromkeys(("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "TERM"))

ITEM = {"sku": "MUG", "quantity": 3, "price": 12.5}


def run(*arguments: object, stdin: str | bytes | None = None, **env: str | None) -> Result:
    """Call the command in this process."""
    runner = CliRunner(env={**_CLEAN, **env})
    return runner.invoke(command, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)


def environment(**env: str) -> dict[str, str]:
    """Return the environment for a new process of the command."""
    return {name: value for name, value in os.environ.items() if name not in _CLEAN} | env


def program(*arguments: object) -> list[str]:
    """Return the argument list that starts the program."""
    return [sys.executable, "-W", "error", "-m", "session_fsm", *map(str, arguments)]


def start(
    *arguments: object, cwd: Path | None = None, stdin: bytes = b"", **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program and wait for its end."""
    return subprocess.run(
        program(*arguments), cwd=cwd, input=stdin, capture_output=True, env=environment(**env), timeout=120, check=False
    )


def on_terminal(*arguments: object, columns: int = 80, stdin: Path | None = None, **env: str) -> str:
    """Run the program on a pseudo-terminal, optionally with input from a file, and return its output."""
    leader, follower = pty.openpty()
    env = {"COLUMNS": str(columns), "TERM": "xterm", **env}
    chunks: list[bytes] = []

    def read() -> None:
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:  # the other end is closed
                return
            if not chunk:
                return
            chunks.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with stdin.open("rb") if stdin else nullcontext(follower) as source:
            subprocess.run(
                program(*arguments),
                stdin=source,
                stdout=follower,
                stderr=follower,
                env=environment(**env),
                timeout=120,
                check=False,
            )
    finally:
        os.close(follower)
        reader.join(timeout=30)
        os.close(leader)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def update(session_id: str = "order-1", /, **body: Any) -> dict[str, Any]:
    """Return a line of a recording that updates a session."""
    return {"operation": "update", "sessionId": session_id, "body": body}


def returned(session_id: str = "order-1", /, *items: dict[str, Any]) -> dict[str, Any]:
    """Return a line of a recording that returns items."""
    return {"operation": "return", "sessionId": session_id, "body": {"returnedCartItems": list(items)}}


def reopened(session_id: str = "order-1", /) -> dict[str, Any]:
    """Return a line of a recording that reopens a session."""
    return {"operation": "reopen", "sessionId": session_id}


def recording(*lines: dict[str, Any] | str) -> str:
    """Return a recording of these lines; a line that is a string is used unchanged."""
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)


def objects(output: str) -> list[dict[str, Any]]:
    """Read JSON Lines."""
    return [json.loads(line) for line in output.splitlines()]
