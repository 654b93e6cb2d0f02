"""The Python code of the documentation as modules for type checkers; each line keeps its file and line number."""

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
    """Code that is checked as one module."""

    name: str
    lines: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    """The file and line number of each line."""

    def add(self, file: str, first: int, text: str) -> None:
        """Add lines from *file* that begin at line *first*."""
        lines = text.splitlines()
        self.lines += lines
        self.places += [f"{file}:{first + offset}" for offset in range(len(lines))]

    def at(self, number: int) -> tuple[str, str]:
        """Return the line *number*, counted from 1, and its place."""
        return self.lines[number - 1], self.places[number - 1]

    @property
    def text(self) -> str:
        """The source of the module."""
        return "\n".join([*self.lines, ""])


def modules() -> list[Module]:
    """Return the code of all pages, examples and docstrings."""
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
    """Yield the files that a page tells the reader to write, and one module with its examples, which share names."""
    name = re.sub(r"\W", "_", place.removesuffix(".md")).replace("docs_", "docs.pages.", 1)
    shared, files = Module(name), dict[str, str]()
    for block in pages.blocks(text):
        if block.language == "py":
            stem = Path(block.file).stem
            module = Module(f"{name}_files.{stem}_{block.line}")
            module.add(place, block.line + 1, _renamed(block.text, files, f"{name}_files"))
            files[stem] = f"{stem}_{block.line}"
            yield module
        elif block.language == "python":
            for line, source in examples(block.text):
                shared.add(place, block.line + 1 + line, _renamed(source, files, f"{name}_files"))
    yield shared


def from_files(paths: Iterable[Path]) -> Iterator[Module]:
    """Yield files below docs unchanged."""
    for path in paths:
        module = Module(_dotted(path.with_suffix("")))
        module.add(path.relative_to(pages.ROOT).as_posix(), 1, path.read_text("utf-8"))
        yield module


def from_docstrings(path: Path, root: Path) -> Iterator[Module]:
    """Yield a module with the examples in the docstrings of a file, which imports the names of the file."""
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
        public = [exported for exported in import_module(name).__all__ if exported not in imported]
        head = Module(module.name)
        imports_of_public = [f"from {name} import {exported}" for exported in public]
        head.add(name, 1, "\n".join([*map(ast.unparse, imports), *imports_of_public]))
        module.lines, module.places = head.lines + module.lines, head.places + module.places
    yield module


def examples(text: str) -> Iterator[tuple[int, str]]:
    """Yield the code of a block with its first line: the whole block, or each example after a prompt."""
    if ">>> " not in text:
        yield 0, text
    for example in DocTestParser().get_examples(text):
        yield example.lineno, example.source


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(pages.ROOT).parts).replace("-", "_")


def _renamed(text: str, files: dict[str, str], package: str) -> str:
    """Return *text* with imports of the page's files changed to their modules in *package*."""
    for stem, module in files.items():
        text = re.sub(rf"^from {stem} import", f"from {package}.{module} import", text, flags=re.MULTILINE)
    return text


def _local(text: str, names: set[str], package: str) -> str:
    """Return *text* with imports of the project's modules changed to their modules in *package*."""
    return _IMPORTING.sub(lambda m: f"{m[1]}{m[2]} {package}.{m[3]}" if m[3] in names else m[0], text)
