# ruff: noqa: INP001 - a script beside the pages
"""The generated parts of the reference: ``python docs/sync_reference.py`` writes them into the pages anew.

So the page in a clone is the page of the site. A part stands between two comments::

    <!-- generated: transitions -->
    <!-- end -->

`_ext.reference.PARTS` has the parts. ``--check`` changes nothing, and exits with 1 where a page differs from the code.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from _ext.reference import PARTS  # noqa: E402 - found in this directory

__all__ = ["generated", "main", "pages"]

COMMAND = "python docs/sync_reference.py"

_PART = re.compile(r"^(<!-- generated: ([^\n]*) -->\n).*?^(<!-- end -->\n)", re.DOTALL | re.MULTILINE)


def generated(page: str) -> str:
    """Return the text of a page with its generated parts as the code has them."""

    def written(match: re.Match[str]) -> str:
        lines = "\n".join(PARTS[match[2]]()).strip()
        return f"{match[1]}\n{lines}\n\n{match[3]}"

    return _PART.sub(written, page)


def pages() -> list[Path]:
    """Return every page with a generated part."""
    return [path for path in sorted(DOCS.rglob("*.md")) if "<!-- generated: " in path.read_text(encoding="utf-8")]


def main(arguments: list[str]) -> int:
    """Write every page anew, or with ``--check`` name those that differ."""
    differ = 0
    for path in pages():
        text = path.read_text(encoding="utf-8")
        right = generated(text)
        if right != text:
            differ += 1
            if "--check" in arguments:
                print(f"{path} differs from the code; run {COMMAND}", file=sys.stderr)  # noqa: T201 - a command
            else:
                path.write_text(right, encoding="utf-8")
                print(f"{path} written")  # noqa: T201 - a command
    return int("--check" in arguments and differ > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
