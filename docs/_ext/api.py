"""The directives ``public-names`` and ``inner-names``, which document each public name once, and links to these names.

A name is public if ``__all__`` lists it. Several modules may list the same object; its home is the first of `PAGES`
that does, and otherwise the module that defines it, which ``inner-names`` shows. New names and modules appear
automatically. In a docstring, a name in single backticks is resolved in any home. In a page, `Names` links the classes
and constants, and the names that are written with their module, such as `session_fsm.wire.loads`.
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

import attrs
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import session_fsm
from session_fsm import subclasses
from session_fsm.guards import Rule

__all__ = ["PAGES", "comments", "homes", "inner_modules", "setup"]

PAGES = (
    "session_fsm",
    "session_fsm.rules",
    "session_fsm.wire",
    "session_fsm.diagrams",
    "session_fsm.diagrams.model",
    "session_fsm.diagrams.sphinx",
    "session_fsm.store",
    "session_fsm.sandbox",
    "session_fsm.django",
    "session_fsm.testing",
    "session_fsm.backtest",
    "session_fsm.backtest.spark",
    "session_fsm.backtest.engines",
    "session_fsm.backtest.job",
    "session_fsm.backtest.sources",
    "session_fsm.backtest.playing",
    "session_fsm.backtest.examples",
    "session_fsm.backtest.counters",
)
"""The modules that users import from; each has a page."""
# The command has its own page, generated from its options.
_COMMAND = {"session_fsm.cli", "session_fsm.__main__"}


@cache
def comments(module: str) -> Mapping[tuple[str, str], list[str]]:
    """Return the docstrings of the attributes in a module, by class and name; the class of a constant is empty."""
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.analyze()
    return analyzer.attr_docs


def inner_modules() -> tuple[str, ...]:
    """Return the modules that are not in `PAGES`, in alphabetical order."""
    found = {f"session_fsm.{module.name}" for module in iter_modules(session_fsm.__path__)} - {subclasses.__name__}
    found |= {f"{subclasses.__name__}.{module.name}" for module in iter_modules(subclasses.__path__)}
    return tuple(sorted(found - {*PAGES, *_COMMAND}))


def homes() -> dict[str, list[str]]:
    """Return the public names of each home module."""
    seen: set[tuple[str, int]] = set()
    found: dict[str, list[str]] = {}
    for module_name in (*PAGES, *inner_modules()):
        module = import_module(module_name)
        found[module_name] = []
        for name in _in_order(module):
            value = getattr(module, name)
            key = (name, id(value))
            hidden = inspect.isfunction(value) and not value.__doc__  # a signature for checkers
            if key not in seen and not hidden:
                seen.add(key)
                found[module_name].append(name)
    return found


def _in_order(module: ModuleType) -> list[str]:
    """Return the public names: classes, then functions, then constants, each in the order of ``__all__``."""
    names: Iterable[str] = getattr(module, "__all__", ())

    def kind(name: str) -> int:
        value = getattr(module, name)
        return 0 if inspect.isclass(value) else 1 if callable(value) else 2

    return sorted(names, key=kind)


class PublicNames(SphinxDirective):
    """``public-names`` with a module: its docstring, and the public names that it is the home of."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the nodes that autodoc generates for the module."""
        return self.parse_text_to_nodes("\n".join(_module(self.arguments[0])), allow_section_headings=True)


class InnerNames(SphinxDirective):
    """``inner-names``: the other modules that are the home of a name, each under a heading."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        lines: list[str] = []
        for module_name in inner_modules():
            if homes()[module_name]:
                lines += [module_name, "-" * len(module_name), "", *_module(module_name)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _module(module_name: str) -> Iterator[str]:
    parent, _, name = module_name.rpartition(".")
    if name in homes().get(parent, ()):  # the function `session_fsm.diagrams.model` shadows the module
        yield from (f".. py:currentmodule:: {module_name}", "")
    else:
        yield from (f".. automodule:: {module_name}", "   :no-members:", "")
    module = sys.modules[module_name]
    for name in homes()[module_name]:
        value = getattr(module, name)
        if inspect.isclass(value):
            yield from (f".. autoclass:: {module_name}.{name}", "   :members:")
            yield from ("   :show-inheritance:", "") if issubclass(value, Exception) else ("",)
        elif ("", name) in comments(module_name):
            yield from (f".. autodata:: {module_name}.{name}", "   :no-value:", "")
        elif inspect.isroutine(value):
            yield from (f".. autofunction:: {module_name}.{name}", "")
        else:
            yield from (f".. py:data:: {name}", "", f"   {_description(name, value)}", "")


def _description(name: str, value: Any) -> str:
    """Return the text of a constant that autodoc cannot find: a rule's text, or a docstring in another module."""
    if isinstance(value, Rule):
        return f"{value.text} Otherwise: ``{value.code}``."
    modules = sorted(module for module in sys.modules if module.startswith("session_fsm."))
    return " ".join(next(found for module in modules if (found := comments(module).get(("", name)))))


def _find(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Node) -> nodes.Node | None:
    """Return a reference to a name that Sphinx could not resolve, found by its suffix in any module or base class."""
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"].lstrip(".").removesuffix("()")
    for module_name in inner_modules():
        target = target.removeprefix(f"{module_name}.")
    objects = {name: entry for name, entry in env.domains.python_domain.objects.items() if not entry.aliased}
    module, kind = node.get("py:module"), node.get("py:class")
    prefixes = (f"{module}.{kind}.", f"{module}.", "session_fsm.CustomerSession.")
    for suffix in (target, *_inherited(target, kind)):
        found = [name for name in objects if f".{name}".endswith(f".{suffix}")]
        if len(found) > 1:  # prefer a name of this class, then of this module, then of the session
            found = next((own for p in prefixes if len(own := [n for n in found if n.startswith(p)]) == 1), found)
        if len(found) == 1:
            entry = objects[found[0]]
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, found[0])
    return None


def _inherited(target: str, class_name: str | None) -> Iterator[str]:
    """Yield the names that a member has in the base classes of its class."""
    owner, _, member = target.rpartition(".")
    for module_name, names in homes().items():
        for name in {owner.rpartition(".")[2], class_name} & {*names}:
            kind = getattr(sys.modules[module_name], name)
            if inspect.isclass(kind):
                yield from (f"{base.__name__}.{member}" for base in kind.__mro__)


class Names(SphinxPostTransform):
    """Links every public name that is code in a page to its description, except in links and titles."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Add the links to the document."""
        objects = self.env.domains.python_domain.objects
        known = _targets()
        here = self.env.current_document.docname
        for literal in list(self.document.findall(nodes.literal)):
            entry = objects.get(known.get(literal.astext(), ""))
            if entry is None or entry.docname == here or isinstance(literal.parent, (nodes.reference, nodes.title)):
                continue
            uri = f"{self.app.builder.get_relative_uri(here, entry.docname)}#{entry.node_id}"
            literal.replace_self(nodes.reference("", "", literal.deepcopy(), internal=True, refuri=uri))


@cache
def _targets() -> dict[str, str]:
    """Return the full name of each public name, as a page may write it: with its module, or a class or constant alone."""
    full = {f"{module}.{name}": name for module, names in homes().items() for name in names}
    bare = [name for name in full.values() if name[0].isupper()]
    return {name: name for name in full} | {short: name for name, short in full.items() if bare.count(short) == 1}


def _signature(_app: Sphinx, _what: str, name: str, *_: object) -> tuple[str, str] | None:
    """Hide the signature of `CustomerSession`: users call `create`."""
    return ("", "") if name == "session_fsm.CustomerSession" else None


class _Computed:
    """Stands in a signature for a default that is computed for each call."""

    def __repr__(self) -> str:
        return "..."


_COMPUTED = _Computed()


def _defaults(_app: Sphinx, function: Any, _bound: bool) -> None:  # noqa: FBT001 - as Sphinx calls it
    """Show the defaults of an ``__init__`` that attrs generated as values; its source has ``attr_dict['name'].default``."""
    code = getattr(function, "__code__", None)
    if code is None or not code.co_filename.startswith("<attrs generated"):
        return
    function.__dict__.pop("__signature__", None)  # what ``autodoc_preserve_defaults`` has set
    signature = inspect.signature(function)
    shown = [
        parameter.replace(default=_COMPUTED) if parameter.default is attrs.NOTHING else parameter
        for parameter in signature.parameters.values()
    ]
    function.__signature__ = signature.replace(parameters=shown)


def _docstring(_app: Sphinx, what: str, _name: str, _value: object, _options: object, lines: list[str]) -> None:
    """Convert sections such as ``Raises:`` to reStructuredText. Docstrings of attributes have none, but may have colons."""
    if what not in ("attribute", "data"):
        lines[:] = GoogleDocstring(lines, Config(), what=what).lines()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives, the links and the event handlers."""
    app.add_directive("public-names", PublicNames)
    app.add_directive("inner-names", InnerNames)
    app.add_post_transform(Names)
    app.connect("missing-reference", _find, priority=400)  # before the handler that warns about unknown names
    app.connect("autodoc-before-process-signature", _defaults, priority=600)  # after ``autodoc_preserve_defaults``
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
