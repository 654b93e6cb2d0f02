"""Every example in the README, in docs/ and in a docstring is a test."""

from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

import pytest
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.integration.pytest import SybilItem
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser

# The example projects have tests of their own, which tests/docs/test_examples.py runs as their users would.
collect_ignore_glob = ["docs/examples/*/*"]

# How much of the definition the tests exercise; it records nothing until one of its options asks for it.
pytest_plugins = ["session_fsm.testing.plugin"]

_OPTIONS = ELLIPSIS | NORMALIZE_WHITESPACE

_markdown = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=_OPTIONS)], patterns=["*.md"])
_docstrings = Sybil(
    parsers=[DocTestParser(optionflags=_OPTIONS)],
    patterns=["session_fsm/*.py", "session_fsm/*/*.py", "session_fsm/*/*/*.py"],
    document_types={".py": PythonDocStringDocument},
)

pytest_collect_file = (_markdown + _docstrings).pytest()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the examples of each document back into their order: tests are shuffled, a text is not."""
    places = [place for place, item in enumerate(items) if isinstance(item, SybilItem)]
    examples = sorted((items[place] for place in places), key=lambda item: (str(item.path), item.reportinfo()[1] or 0))
    for place, example in zip(places, examples, strict=True):
        items[place] = example
