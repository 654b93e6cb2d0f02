"""A directory of diagrams: one file in each format, and a README.md that shows the class on GitHub."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from session_fsm.diagrams import formats, model, render
from session_fsm.diagrams.drawable import drawable
from session_fsm.diagrams.markdown import escape
from session_fsm.session import CustomerSession

__all__ = ["Folder"]

# How the files of a format end, where that is not the name of the format.
_ENDINGS = {"mermaid": "mmd", "plantuml": "puml", "markdown": "md"}


@frozen
class Folder:
    """What the directory of a session class holds: this and nothing else."""

    texts: Mapping[str, str]
    """The name of each file, and its text."""

    @classmethod
    def of(cls, kind: type[CustomerSession], *, detail: str, title: str | None) -> Folder:
        """Draw *kind* in every format."""
        stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W", "_", kind.__name__).lower()
        names = {name: f"{stem}.{_ENDINGS.get(name, name)}" for name in formats()}
        texts = {file: render(kind, name, detail=detail, title=title) for name, file in names.items()}
        heading = model(kind, title=title).title
        return cls({"README.md": _readme(kind, heading, texts[names["mermaid"]], names)} | texts)

    def write(self, folder: Path) -> None:
        """Write every file; what else *folder* holds stays as it is."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.texts.items():
            (folder / name).write_bytes(text.encode())

    def superfluous(self, folder: Path) -> list[str]:
        """Return the names of the files in *folder* that it should not hold. Directories and hidden files may be there."""
        present = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        return [name for name in present if name not in self.texts]

    def differences(self, folder: Path) -> Iterator[str]:
        """Yield lines for people: how *folder* differs from what it should hold; none where it does not."""
        if not folder.is_dir():
            yield f"{folder} does not exist"
            return
        for name, text in self.texts.items():
            path = folder / name
            if not path.exists():
                yield f"{path} is missing"
                continue
            # Git may have given the lines another ending on their way.
            found = path.read_bytes().replace(b"\r\n", b"\n").decode(errors="backslashreplace")
            if found != text:
                yield from _difference(path, found, text)
        for name in self.superfluous(folder):
            yield f"{folder / name} is superfluous"


def _difference(path: Path, found: str, text: str) -> Iterator[str]:
    """Yield the unified difference of two texts that differ."""
    old, new = (_lines(version) for version in (found, text))
    yield from difflib.unified_diff(old, new, f"{path} (as it is)", f"{path} (as it should be)", lineterm="")


def _lines(text: str) -> list[str]:
    """Return the lines of *text*; one that has no end says so."""
    *lines, last = text.split("\n")
    return [*lines, f"{last} (without a line break at its end)"] if last else lines


def _readme(kind: type[CustomerSession], title: str, mermaid: str, names: Mapping[str, str]) -> str:
    command = "session-fsm diagram"
    if kind is not CustomerSession:
        command += f" --class {kind.__module__}:{kind.__qualname__}"
    others = ", ".join(f"[{name}]({file})" for name, file in names.items())
    return f"""# {escape(title)}

```mermaid
{mermaid}```

The same in other formats: {others}.

All files here are written by <code>{escape(drawable(command))} --write DIR</code>, where DIR is this directory, and
must not be edited. With `--check` in place of `--write` the command says whether they are current.
"""
