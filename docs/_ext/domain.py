"""The numbered rules of ``domain.md``: an anchor for each, a link wherever its number is cited, and choices of them.

A number that no rule has is a warning, and so ends the build.
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
from sphinx.util.docutils import SphinxDirective

__all__ = ["CITATION", "NumberedRule", "numbered_rules", "setup"]

PAGE = "domain"
CITATION = re.compile(r"\b[TDUFMLOW]-\d\d\b")
"""The number of a rule, wherever it stands."""
_logger = logging.getLogger(__name__)


class NumberedRule(NamedTuple):
    """One row of a table of ``domain.md``."""

    number: str
    line: str
    """The row as it stands there."""
    header: str
    """The two lines that begin its table."""

    @property
    def word(self) -> str:
        """On whose word the rule is as it is: D, O or C, and perhaps what exactly."""
        return self.line.rsplit("|", 2)[1].strip()


def numbered_rules(file: Path) -> dict[str, NumberedRule]:
    """Read the rules of *file* by their numbers."""
    found: dict[str, NumberedRule] = {}
    header, before = "", ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("| --- |"):
            header = f"{before}\n{line}"
        elif match := re.match(rf"\| ({CITATION.pattern}) \|", line):
            found[match[1]] = NumberedRule(match[1], line, header)
        before = line
    return found


class DomainRules(SphinxDirective):
    """``domain-rules`` with a letter: the rules on whose word that letter stands, in tables as in ``domain.md``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the tables."""
        file = Path(self.env.doc2path(PAGE))
        self.env.note_dependency(str(file))
        tables: dict[str, list[str]] = {}
        for rule in numbered_rules(file).values():
            if re.search(rf"\b{self.arguments[0]}\b", rule.word):
                tables.setdefault(rule.header, []).append(rule.line)
        text = "\n\n".join("\n".join([header, *lines]) for header, lines in tables.items())
        return self.parse_text_to_nodes(text)


def _anchor_rules(app: Sphinx, doctree: nodes.document) -> None:
    """Give the row of every rule an anchor."""
    if app.env.current_document.docname != PAGE:
        return
    for row in doctree.findall(nodes.row):
        number = row[0].astext()
        if CITATION.fullmatch(number):
            row["ids"].append(number.lower())


class Citations(SphinxPostTransform):
    """Make every number of a rule a link to it, but where it is code, a link already, or the rule itself."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Replace the text of the document."""
        known = numbered_rules(Path(self.env.doc2path(PAGE)))
        here = self.env.current_document.docname
        page = "" if here == PAGE else self.app.builder.get_relative_uri(here, PAGE)
        for text in list(self.document.findall(nodes.Text)):
            if not CITATION.search(text) or self._stays(text):
                continue
            text.parent.replace(text, list(self._linked(text, known, page)))

    @staticmethod
    def _stays(node: nodes.Node) -> bool:
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
    """Add the directive, the anchors and the links."""
    app.add_directive("domain-rules", DomainRules)
    app.connect("doctree-read", _anchor_rules)
    app.add_post_transform(Citations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
