"""A client of pyright's language server, which editors ask what to show."""

import json
import os
import queue
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any, Self

from tools import unmeasured

__all__ = ["CURSOR", "LanguageServer"]

CURSOR = "|"
"""Stands in code where the cursor is."""
_LONGEST = 60.0
"""How long an answer is waited for, in seconds."""
_SETTINGS = {
    "python": {"pythonPath": sys.executable},
    "python.analysis": {"autoImportCompletions": False, "indexing": False},
}


class LanguageServer:
    """The server, with one file open in *folder*. Ends when its block ends."""

    def __init__(self, folder: Path) -> None:
        self._file = {"uri": (folder / "asking.py").as_uri()}
        self._folder = folder.as_uri()
        self._version = 0
        self._last_id = 0
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pyright.langserver", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=unmeasured(),
            start_new_session=True,
        )
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()
        markdown = {"contentFormat": ["markdown"], "documentationFormat": ["markdown"]}
        capabilities = {
            "workspace": {"configuration": True, "workspaceFolders": True},
            "textDocument": {
                "hover": markdown,
                "completion": {"completionItem": markdown},
                "signatureHelp": {"signatureInformation": markdown},
            },
        }
        folders = [{"uri": self._folder, "name": "asking"}]
        self._ask("initialize", processId=None, rootUri=None, workspaceFolders=folders, capabilities=capabilities)
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(self, *_: object) -> None:
        # The process starts another one, which has the pipe too, so the whole group ends.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_LONGEST)
        self._reading.join(_LONGEST)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def hover(self, code: str) -> str:
        """Return what is shown of the name before the cursor."""
        found = self._at_cursor("hover", code)
        return str(found["contents"]["value"]) if found else ""

    def completions(self, code: str) -> dict[str, str]:
        """Return what may stand at the cursor, each with its documentation."""
        items = self._at_cursor("completion", code)["items"]
        known = {item["label"]: item for item in items if not item["label"].startswith("_")}
        return {name: self._documentation(item) for name, item in known.items()}

    def signature(self, code: str) -> tuple[str, str]:
        """Return the signature of the call around the cursor, and its documentation."""
        (found,) = self._at_cursor("signatureHelp", code)["signatures"]
        return found["label"], found["documentation"]["value"]

    def _documentation(self, item: dict[str, Any]) -> str:
        return str(self._ask("completionItem/resolve", **item).get("documentation", {}).get("value", ""))

    def _at_cursor(self, request: str, code: str) -> Any:
        before, _, after = code.partition(CURSOR)
        self._version += 1
        text = before + after
        if self._version == 1:
            opened = {**self._file, "languageId": "python", "version": 1, "text": text}
            self._send({"method": "textDocument/didOpen", "params": {"textDocument": opened}})
        else:
            changed = {**self._file, "version": self._version}
            params = {"textDocument": changed, "contentChanges": [{"text": text}]}
            self._send({"method": "textDocument/didChange", "params": params})
        line, character = before.count("\n"), len(before.rpartition("\n")[2])
        return self._ask(
            f"textDocument/{request}", textDocument=self._file, position={"line": line, "character": character}
        )

    def _ask(self, method: str, **params: Any) -> Any:
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": params})
        while True:
            message = self._messages.get(timeout=_LONGEST)
            if "method" in message:
                if "id" in message:  # a request of the server
                    asked = message["params"].get("items", []) if message["params"] else []
                    answers = [_SETTINGS.get(item.get("section"), {}) for item in asked]
                    self._send({"id": message["id"], "result": answers or None})
            elif message["id"] == self._last_id:
                return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        size = 0
        while line := stream.readline():
            name, _, value = line.strip().partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
            elif not name:
                self._messages.put(json.loads(stream.read(size)))
