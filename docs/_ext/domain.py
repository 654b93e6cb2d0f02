"""The numbered rules of ``domain.md``: an anchor for each, and links from citations.

An unknown number is a warning, and the build treats warnings as errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

__all__ = ["CITATION", "NumberedRule", "numbered_rules", "setup"]

PAGE = "domain"
CITATION = re.compile(r"\b[TDUFMLOW]-\d\d\b")
"""Matches the number of a rule."""
_logger = logging.getLogger(__name__)


class NumberedRule(NamedTuple):
    """One row of a table of ``domain.md``."""

    number: str
    line: str
    """The line of the row."""
    header: str
    """The two header lines of its table."""

    @property
    def source(self) -> str:
        """The sources of the rule: D (documented), O (observed) or C (chosen), with references."""
        return self.line.rsplit("|", 2)[1].strip()


def numbered_rules(file: Path) -> dict[str, NumberedRule]:
    """Return the rules of *file* by their numbers."""
    found: dict[str, NumberedRule] = {}
    header, previous = "", ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("| --- |"):
            header = f"{previous}\n{line}"
        elif match := re.match(rf"\| ({CITATION.pattern}) \|", line):
            found[match[1]] = NumberedRule(match[1], line, header)
        previous = line
    return found


def _anchor_rules(app: Sphinx, doctree: nodes.document) -> None:
    """Add an anchor to the row of every rule."""
    if app.env.current_document.docname != PAGE:
        return
    for row in doctree.findall(nodes.row):
        number = row[0].astext()
        if CITATION.fullmatch(number):
            row["ids"].append(number.lower())


class Citations(SphinxPostTransform):
    """Replaces every number of a rule with a link, except in code, in links and titles, and in the rule's own row."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Replace the numbers in the document."""
        known = numbered_rules(Path(self.env.doc2path(PAGE)))
        here = self.env.current_document.docname
        page = "" if here == PAGE else self.app.builder.get_relative_uri(here, PAGE)
        for text in list(self.document.findall(nodes.Text)):
            if not CITATION.search(text) or self._is_excluded(text):
                continue
            text.parent.replace(text, list(self._linked(text, known, page)))

    @staticmethod
    def _is_excluded(node: nodes.Node) -> bool:
        while node.parent:
            node = node.parent
            if isinstance(node, (nodes.literal, nodes.literal_block, nodes.reference, nodes.raw, nodes.title)):
                return True
            if isinstance(node, nodes.row) and any(map(CITATION.fullmatch, map(str.upper, node["ids"]))):
                return False
        return False

    def _linked(self, text: nodes.Text, known: dict[str, NumberedRule], page: str) -> Iterator[nodes.Node]:
        end = 0
        for match in CITATION.finditer(text):
            if match[0] not in known:
                _logger.warning("%s has no rule %s", PAGE, match[0], location=text.parent)
                continue
            yield nodes.Text(text[end : match.start()])
            yield nodes.reference("", match[0], internal=True, refuri=f"{page}#{match[0].lower()}", classes=["number"])
            end = match.end()
        yield nodes.Text(text[end:])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transforms."""
    app.connect("doctree-read", _anchor_rules)
    app.add_post_transform(Citations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
