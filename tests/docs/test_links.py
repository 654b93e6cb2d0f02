"""Every relative link of a Markdown file leads to a file and a heading, as GitHub resolves them in the repository."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pages
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

FILES = pages.pages() | {
    path.relative_to(pages.ROOT).as_posix(): path
    for folder in ("benchmarks", "diagrams")
    for path in sorted((pages.ROOT / folder).rglob("*.md"))
}


def _tokens(text: str) -> list[Token]:
    return MarkdownIt().enable("table").parse(text)


def anchors(text: str) -> Iterator[str]:
    """Yield the anchor that GitHub gives each heading: small letters, hyphens for spaces, and a number for a repetition."""
    seen: Counter[str] = Counter()
    tokens = _tokens(text)
    for heading, content in pairwise(tokens):
        if heading.type == "heading_open":
            words = "".join(part.content for part in content.children or [] if part.type in {"text", "code_inline"})
            slug = re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
            yield f"{slug}-{seen[slug]}" if seen[slug] else slug
            seen[slug] += 1


def links(text: str) -> Iterator[str]:
    """Yield the relative links and images of a file."""
    for token in _tokens(text):
        for part in token.children or []:
            address = str(part.attrGet("href" if part.type == "link_open" else "src") or "")
            if address and not re.match(r"[a-z]+:", address):
                yield address


def broken(file: Path) -> Iterator[str]:
    """Yield the links of *file* that lead nowhere."""
    for link in links(file.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = file.parent / path if path else file
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            yield link


@pytest.mark.parametrize("name", FILES)
def test_every_link_leads_somewhere(name: str) -> None:
    assert list(broken(FILES[name])) == []


def test_most_pages_have_links() -> None:
    assert len([link for file in FILES.values() for link in links(file.read_text(encoding="utf-8"))]) > 200


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# `one_rule`, and *more*\n\n## Same\n\n## Same\n\n"
        "[a](#one_rule-and-more) [b](#same-1) [c](page.md#same) [d](https://example.com/x)\n"
        "[e](#same-2) [f](gone.md) ![g](gone.svg)\n\n| [h](#gone) |\n| --- |\n",
        encoding="utf-8",
    )
    assert list(broken(page)) == ["#same-2", "gone.md", "gone.svg", "#gone"]
