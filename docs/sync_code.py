# ruff: noqa: INP001 - a script beside the pages
"""The code that pages show of the example projects: ``python docs/sync_code.py`` writes it into the pages anew.

A comment before a block says where its code comes from, with paths below ``docs``::

    <!-- from: examples/fastapi_shop/shop/smallest.py -->
    <!-- from: examples/django_shop/shop/models.py: StoredSession, keep -->
    <!-- from: examples/django_shop/shop/models.py: keep, with CustomerSession for ShopSession -->

The first form shows the whole file, without its docstring and its ``__all__``. With names, the block shows these
definitions as the file has them; whatever else stands in the block, such as imports and calls, is the page's own.
``with A for B`` shows the name A where the file has B. A block may have several such comments, one for each file, and
its lines may have the prompts of an interactive session.

``--check`` changes nothing, and exits with 1 where a page differs from a file.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Source", "definitions_of", "main", "own_definitions", "pages", "synchronised"]

DOCS = Path(__file__).parent
COMMAND = "python docs/sync_code.py"

_BLOCK = re.compile(
    r"(?P<comments>(?:^<!-- from: [^\n]* -->\n)*)^```python\n(?P<code>.*?)^```\n", re.DOTALL | re.MULTILINE
)
_COMMENT = re.compile(
    r"^<!-- from: (?P<path>[\w./-]+)(?:: (?P<names>.*?))?(?:, with (?P<new>\w+) for (?P<old>\w+))? -->$"
)


class Mistake(Exception):
    """A comment, or the block below it, that cannot be followed."""


@dataclass(frozen=True)
class Source:
    """What one comment says: a file, the names of definitions in it, and a name that is shown in place of another."""

    path: str
    names: tuple[str, ...]
    new: str | None
    old: str | None

    @classmethod
    def of(cls, comment: str) -> Source:
        """Read a comment."""
        match = _COMMENT.match(comment)
        if match is None:
            raise Mistake(f"cannot be read: {comment}")
        names = tuple(name.strip() for name in (match["names"] or "").split(",") if name.strip())
        return cls(match["path"], names, match["new"], match["old"])

    def text(self) -> str:
        """Return the text of the file, as it is shown."""
        text = (DOCS / self.path).read_text(encoding="utf-8")
        return re.sub(rf"\b{self.old}\b", self.new, text) if self.old and self.new else text

    def whole(self) -> str:
        """Return the file without its docstring and its ``__all__``."""
        text = self.text()
        hidden: set[int] = set()
        for place, node in enumerate(ast.parse(text).body):
            is_docstring = place == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if is_docstring or _names(node) == {"__all__"}:
                hidden |= {*range(node.lineno, (node.end_lineno or node.lineno) + 1)}
        lines = text.splitlines()
        shown = [
            line for number, line in enumerate(lines, 1) if number not in hidden and not line.startswith("# ruff:")
        ]
        return re.sub(r"\n{3,}(?!class |def |async def |@)", "\n\n", "\n".join(shown).strip()) + "\n"


def _names(node: ast.stmt) -> set[str]:
    """Return the names that a statement defines."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Assign():
            return {target.id for target in node.targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case _:
            return set()


def _span(node: ast.stmt) -> tuple[int, int]:
    """Return the first line of a statement, its decorators included, and the line behind its last, both from 0."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return first - 1, node.end_lineno or node.lineno


def definitions_of(code: str) -> dict[str, tuple[int, int]]:
    """Return where each name of *code* is defined, as `_span` has it."""
    return {name: _span(node) for node in ast.parse(code).body for name in _names(node)}


def _prompted(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield each statement of an interactive session: its first line, the line behind its last, and its code."""
    place = 0
    while place < len(lines):
        if lines[place].startswith(">>> "):
            end = place + 1
            while end < len(lines) and lines[end].startswith("..."):
                end += 1
            yield place, end, "\n".join(line[4:] for line in lines[place:end])
            place = end
        else:
            place += 1


def _spans(code: str) -> dict[str, tuple[int, int]]:
    """Return where a block defines each name, whether or not it has prompts."""
    if ">>> " not in code:
        return definitions_of(code)
    lines = code.splitlines()
    return {name: (first, end) for first, end, text in _prompted(lines) for name in definitions_of(text)}


def _shown(definition: list[str], *, prompts: bool) -> list[str]:
    if not prompts:
        return definition
    return [f"{'...' if place else '>>>'} {line}".rstrip() for place, line in enumerate(definition)]


def _synchronised_block(sources: list[Source], code: str) -> str:
    for source in sources:
        if not (DOCS / source.path).is_file():
            raise Mistake(f"there is no file docs/{source.path}")
        if not source.names:
            if len(sources) > 1:
                raise Mistake(f"docs/{source.path} is shown as a whole, so nothing else can be")
            return source.whole()
        text = source.text()
        held = definitions_of(text)
        for name in source.names:
            if name not in held:
                raise Mistake(f"docs/{source.path} does not define {name}")
            spans = _spans(code)
            if name not in spans:
                raise Mistake(f"the block does not define {name}; write a line {name} = None where it shall stand")
            first, end = held[name]
            lines, (start, stop) = code.splitlines(), spans[name]
            lines[start:stop] = _shown(text.splitlines()[first:end], prompts=">>> " in code)
            code = "\n".join(lines) + "\n"
    return code


def synchronised(page: str) -> str:
    """Return the text of a page in which every block shows what its file has.

    Raises:
        Mistake: a comment cannot be followed.
    """

    def replaced(match: re.Match[str]) -> str:
        comments = match["comments"]
        if not comments:
            return match[0]
        code = _synchronised_block([Source.of(comment) for comment in comments.splitlines()], match["code"])
        return f"{comments}```python\n{code}```\n"

    return _BLOCK.sub(replaced, page)


def own_definitions(page: str) -> set[str]:
    """Return the functions and classes that a page defines without a file that has them."""
    own: set[str] = set()
    for match in _BLOCK.finditer(page):
        sources = [Source.of(comment) for comment in match["comments"].splitlines()]
        if any(not source.names for source in sources):
            continue
        code = match["code"]
        texts = [text for _, _, text in _prompted(code.splitlines())] if ">>> " in code else [code]
        nodes = [node for text in texts for node in ast.parse(text).body]
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        own |= {node.name for node in nodes if isinstance(node, kinds)} - {n for one in sources for n in one.names}
    return own


def pages() -> list[Path]:
    """Return every page that shows the code of a file."""
    return [path for path in sorted(DOCS.rglob("*.md")) if "<!-- from: " in path.read_text(encoding="utf-8")]


def main(arguments: list[str]) -> int:
    """Write every page anew, or with ``--check`` name those that differ."""
    differ = 0
    for path in pages():
        text = path.read_text(encoding="utf-8")
        try:
            right = synchronised(text)
        except Mistake as mistake:
            print(f"{path}: {mistake}", file=sys.stderr)  # noqa: T201 - a command
            return 2
        if right != text:
            differ += 1
            if "--check" in arguments:
                print(f"{path} differs from the code that it shows; run {COMMAND}", file=sys.stderr)  # noqa: T201 - a command
            else:
                path.write_text(right, encoding="utf-8")
                print(f"{path} written")  # noqa: T201 - a command
    return int("--check" in arguments and differ > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
