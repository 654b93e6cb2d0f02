"""The public names of the package, each in one place: where a user imports it from.

A name is public where ``__all__`` lists it. Several modules may list the same object; its home is the first of
`PAGES` that does, and otherwise the module that defines it, which ``inner-names`` shows. So a new name, or a new
module, appears by itself. A name in single backticks is found wherever its home is.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import session_fsm
from session_fsm import subclasses
from session_fsm.decisions import Rule

__all__ = ["PAGES", "comments", "homes", "inner_modules", "setup"]

PAGES = (
    "session_fsm",
    "session_fsm.rules",
    "session_fsm.wire",
    "session_fsm.diagrams",
    "session_fsm.diagrams.model",
    "session_fsm.diagrams.sphinx",
    "session_fsm.testing",
)
"""The modules that users import from, which have a page each."""
# The command has pages of its own, made of its options.
_COMMAND = {"session_fsm.cli", "session_fsm.__main__"}


@cache
def comments(module: str) -> Mapping[tuple[str, str], list[str]]:
    """Return the docstrings of the attributes in a module, by class and name; those of the module have no class."""
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.analyze()
    return analyzer.attr_docs


def inner_modules() -> tuple[str, ...]:
    """Return the modules that the names of `PAGES` lead to, in the order of the alphabet."""
    found = {f"session_fsm.{module.name}" for module in iter_modules(session_fsm.__path__)} - {subclasses.__name__}
    found |= {f"{subclasses.__name__}.{module.name}" for module in iter_modules(subclasses.__path__)}
    return tuple(sorted(found - {*PAGES, *_COMMAND}))


def homes() -> dict[str, list[str]]:
    """Return the public names by the module that is their home."""
    seen: set[tuple[str, int]] = set()
    found: dict[str, list[str]] = {}
    for place in (*PAGES, *inner_modules()):
        module = import_module(place)
        found[place] = []
        for name in _in_order(module):
            thing = (name, id(getattr(module, name)))
            if thing not in seen:
                seen.add(thing)
                found[place].append(name)
    return found


def _in_order(module: ModuleType) -> list[str]:
    """Return the public names: classes first, then functions, then the rest, each in the order of the list."""
    names: Iterable[str] = getattr(module, "__all__", ())

    def kind(name: str) -> int:
        thing = getattr(module, name)
        return 0 if inspect.isclass(thing) else 1 if callable(thing) else 2

    return sorted(names, key=kind)


class PublicNames(SphinxDirective):
    """``public-names`` with a module: its docstring, and every public name whose home it is."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return what autodoc makes of the module."""
        return self.parse_text_to_nodes("\n".join(_module(self.arguments[0])), allow_section_headings=True)


class InnerNames(SphinxDirective):
    """``inner-names``: the modules within, each under a heading, as far as they are the home of anything."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        lines: list[str] = []
        for place in inner_modules():
            if homes()[place]:
                lines += [place, "-" * len(place), "", *_module(place)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _module(place: str) -> Iterator[str]:
    parent, _, name = place.rpartition(".")
    if name in homes().get(parent, ()):  # the function `session_fsm.diagrams.model` hides the module
        yield from (f".. py:currentmodule:: {place}", "")
    else:
        yield from (f".. automodule:: {place}", "   :no-members:", "")
    module = sys.modules[place]
    for name in homes()[place]:
        thing = getattr(module, name)
        if inspect.isclass(thing):
            yield from (f".. autoclass:: {place}.{name}", "   :members:")
            yield from ("   :show-inheritance:", "") if issubclass(thing, Exception) else ("",)
        elif ("", name) in comments(place):
            yield from (f".. autodata:: {place}.{name}", "   :no-value:", "")
        elif inspect.isroutine(thing):
            yield from (f".. autofunction:: {place}.{name}", "")
        else:
            yield from (f".. py:data:: {name}", "", f"   {_about(name, thing)}", "")


def _about(name: str, thing: Any) -> str:
    """Say what autodoc does not know of a constant: a rule speaks for itself, and a docstring may be elsewhere."""
    if isinstance(thing, Rule):
        return f"{thing.text} Otherwise: :fault:`{thing.code}`."
    modules = sorted(module for module in sys.modules if module.startswith("session_fsm."))
    return " ".join(next(found for module in modules if (found := comments(module).get(("", name)))))


def _find(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Node) -> nodes.Node | None:
    """Find a name by its end: a user does not care in which module it was written, or which class it comes from."""
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"].lstrip(".").removesuffix("()")
    for place in inner_modules():
        target = target.removeprefix(f"{place}.")
    objects = {name: entry for name, entry in env.domains.python_domain.objects.items() if not entry.aliased}
    module, kind = node.get("py:module"), node.get("py:class")
    around = (f"{module}.{kind}.", f"{module}.", "session_fsm.CustomerSession.")
    for wanted in (target, *_inherited(target, kind)):
        found = [name for name in objects if f".{name}".endswith(f".{wanted}")]
        if len(found) > 1:  # one of this class is meant, of this module, or of the session
            found = next((near for a in around if len(near := [n for n in found if n.startswith(a)]) == 1), found)
        if len(found) == 1:
            entry = objects[found[0]]
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, found[0])
    return None


def _inherited(target: str, around: str | None) -> Iterator[str]:
    """Say how a member may be called that a class has from another."""
    owner, _, member = target.rpartition(".")
    for place, names in homes().items():
        for name in {owner.rpartition(".")[2], around} & {*names}:
            kind = getattr(sys.modules[place], name)
            if inspect.isclass(kind):
                yield from (f"{base.__name__}.{member}" for base in kind.__mro__)


def _signature(_app: Sphinx, _what: str, name: str, *_: object) -> tuple[str, str] | None:
    """Leave out how a session is built from within: users create it."""
    return ("", "") if name == "session_fsm.CustomerSession" else None


def _docstring(_app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Read the sections of a docstring, such as ``Raises:``. That of a field has none: it is a sentence, colons and all."""
    if what not in ("attribute", "data"):
        lines[:] = GoogleDocstring(lines, Config(), what=what).lines()


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directives, and the search for names."""
    app.add_directive("public-names", PublicNames)
    app.add_directive("inner-names", InnerNames)
    app.connect("missing-reference", _find, priority=400)  # before an unknown name is complained of
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
