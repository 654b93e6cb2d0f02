"""The base of sessions that formats them as diagrams, in format specifications and notebooks.

``f"{session:svg}"`` and ``f"{CustomerSession:mermaid}"`` name a format of `session_fsm.diagrams`. A picture of a
session shows where it stands and what it may do now; a picture of a class shows its table alone.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Container
from types import MethodType
from typing import Any

__all__ = ["Shown", "ShownType", "render_with"]


def render_with(renderer: Callable[..., str]) -> None:
    """Set the function that renders a class, and a session of it, in a format. The package calls this once."""
    global _renderer  # noqa: PLW0603 - the one place that sets it
    _renderer = renderer


_renderer: Callable[..., str]


def _render(shown: object, spec: str) -> str:
    return _renderer(shown, spec) if isinstance(shown, ShownType) else _renderer(type(shown), spec, session=shown)


def _mime_bundle(
    shown: object, include: Container[str] | None = None, exclude: Container[str] | None = None
) -> dict[str, str]:
    """Return *shown* for a notebook: as text, and as SVG or, if that fails, as Mermaid."""
    bundle = {"text/plain": repr(shown)}
    try:
        bundle["image/svg+xml"] = _render(shown, "svg")
    except Exception:  # noqa: BLE001 - a notebook shows what it can; `render` raises
        bundle["text/vnd.mermaid"] = _render(shown, "mermaid")
    return {
        kind: text
        for kind, text in bundle.items()
        if (not include or kind in include) and (not exclude or kind not in exclude)
    }


class ShownType(ABCMeta):
    """The type of session classes, which lets a class answer a format specification.

    It is an `ABCMeta` so that a session class may inherit from abstract classes too.
    """

    def __format__(cls, spec: str) -> str:
        return _render(cls, spec) if spec else str(cls)

    @property
    def _repr_mimebundle_(cls) -> Callable[..., dict[str, str]]:
        return MethodType(_mime_bundle, cls)


class Shown(metaclass=ShownType):
    """The base of sessions, which lets them answer a format specification."""

    # Here and not in the session: CPython assigns ``__class__`` only between classes that add the same plain slots.
    __slots__ = ("__weakref__",)

    def __format__(self, spec: str) -> str:
        return _render(self, spec) if spec else str(self)

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> dict[str, str]:
        return _mime_bundle(self, *args, **kwargs)
