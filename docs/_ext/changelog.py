"""The directive ``unreleased-changes``, which renders the changelog fragments with towncrier."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

__all__ = ["setup"]

_ROOT = Path(__file__).parents[2]


class Unreleased(SphinxDirective):
    """``unreleased-changes``: what ``towncrier build --draft`` shows."""

    def run(self) -> list[nodes.Node]:
        """Return the section of unreleased changes; nothing if there are none."""
        fragments = sorted((_ROOT / "changelog.d").glob("*.md"))
        if not fragments:
            return []
        for fragment in fragments:
            self.env.note_dependency(str(fragment))
        command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "Unreleased", "--date", ""]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603 - a fixed command
        if done.returncode:
            raise self.error(f"towncrier: {done.stderr.strip()}")
        return self.parse_text_to_nodes(done.stdout.replace("Unreleased ()", "Unreleased"), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("unreleased-changes", Unreleased)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
