"""The Python of the documentation as modules, each line with its place: what type checkers can read."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from doctest import DocTestParser
from importlib import import_module
from pathlib import Path

import pages

import session_fsm

__all__ = ["Module", "examples", "from_docstrings", "from_files", "from_page", "modules"]

_IMPORTING = re.compile(r"^(\s*)(from|import) (\w+)", re.MULTILINE)


@dataclass
class Module:
    """Python that is checked as one module."""

    name: str
    lines: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    """Where each line stands: file and number."""

    def add(self, file: str, first: int, text: str) -> None:
        """Add lines that stand in *file* from line *first* on."""
        lines = text.splitlines()
        self.lines += lines
        self.places += [f"{file}:{first + offset}" for offset in range(len(lines))]

    def at(self, number: int) -> tuple[str, str]:
        """Return the line of this number, which begins at 1, and its place."""
        return self.lines[number - 1], self.places[number - 1]

    @property
    def text(self) -> str:
        """The module as a file holds it."""
        return "\n".join([*self.lines, ""])


def modules() -> list[Module]:
    """Return everything that readers copy, or learn from."""
    found = [module for place, path in pages.pages().items() for module in from_page(place, path.read_text("utf-8"))]
    found += from_files([pages.DOCS / "examples" / name for name in ("shop.py", "sessions_in_sqlite.py")])
    for project in sorted(path.parent for path in pages.DOCS.glob("examples/*/pyproject.toml")):
        names = {path.name for path in project.iterdir() if path.is_dir() or path.suffix == ".py"}
        for module in from_files(sorted(project.rglob("*.py"))):
            module.lines = _local(
                module.text, {name.removesuffix(".py") for name in names}, _dotted(project)
            ).splitlines()
            found.append(module)
    root = Path(session_fsm.__file__).parent
    found += [module for path in sorted(root.rglob("*.py")) for module in from_docstrings(path, root.parent)]
    return [module for module in found if module.lines]


def from_page(place: str, text: str) -> Iterator[Module]:
    """Yield the examples of a page, which share their names, and each file that it has the reader write."""
    name = re.sub(r"\W", "_", place.removesuffix(".md")).replace("docs_", "docs.pages.", 1)
    together, files = Module(name), dict[str, str]()
    for block in pages.blocks(text):
        if block.language == "py":
            stem = Path(block.file).stem
            module = Module(f"{name}_files.{stem}_{block.line}")
            module.add(place, block.line + 1, _renamed(block.text, files, f"{name}_files"))
            files[stem] = f"{stem}_{block.line}"
            yield module
        elif block.language == "python":
            for line, source in examples(block.text):
                together.add(place, block.line + 1 + line, _renamed(source, files, f"{name}_files"))
    yield together


def from_files(paths: Iterable[Path]) -> Iterator[Module]:
    """Yield files below docs as they are."""
    for path in paths:
        module = Module(_dotted(path.with_suffix("")))
        module.add(path.relative_to(pages.ROOT).as_posix(), 1, path.read_text("utf-8"))
        yield module


def from_docstrings(path: Path, root: Path) -> Iterator[Module]:
    """Yield the examples in the docstrings of a file, with the names that the file has."""
    parts = path.relative_to(root).with_suffix("").parts
    name = ".".join(parts).removesuffix(".__init__")
    tree = ast.parse(path.read_text("utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    module = Module(f"docstrings.{'_'.join(parts)}")
    for node in ast.walk(tree):
        if not isinstance(node, documented) or not ast.get_docstring(node, clean=False):
            continue
        first = node.body[0]
        assert isinstance(first, ast.Expr)
        assert isinstance(first.value, ast.Constant)
        docstring = str(first.value.value)
        for line, source in examples(docstring) if ">>> " in docstring else ():
            module.add(f"{name.replace('.', '/')}", first.lineno + line, source)
    if module.lines:
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        imported = {alias.asname or alias.name for node in imports for alias in node.names}
        own = [one for one in import_module(name).__all__ if one not in imported]
        head = Module(module.name)
        head.add(name, 1, "\n".join([*map(ast.unparse, imports), *(f"from {name} import {one}" for one in own)]))
        module.lines, module.places = head.lines + module.lines, head.places + module.places
    yield module


def examples(text: str) -> Iterator[tuple[int, str]]:
    """Yield the code of a block, and in which line of it the code begins: all of it, or what stands behind prompts."""
    if ">>> " not in text:
        yield 0, text
    for example in DocTestParser().get_examples(text):
        yield example.lineno, example.source


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(pages.ROOT).parts).replace("-", "_")


def _renamed(text: str, files: dict[str, str], package: str) -> str:
    """Let *text* import the files of its page from where they are."""
    for stem, module in files.items():
        text = re.sub(rf"^from {stem} import", f"from {package}.{module} import", text, flags=re.MULTILINE)
    return text


def _local(text: str, names: set[str], package: str) -> str:
    """Let *text* import the modules of its project from where they are."""
    return _IMPORTING.sub(lambda m: f"{m[1]}{m[2]} {package}.{m[3]}" if m[3] in names else m[0], text)
