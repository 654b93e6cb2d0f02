"""Every example in the README, in docs/ and in a docstring is a test."""

from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.integration.pytest import SybilItem
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser

# The example projects have tests of their own, which tests/docs/test_examples.py runs as their users would, and
# tests/test_django.py runs the project of Django.
collect_ignore_glob = ["docs/examples/*/*", "tests/support/*"]

# How much of the definition the tests exercise; it records nothing until one of its options asks for it.
pytest_plugins = ["session_fsm.testing.plugin"]

# Files whose tests take longest, in seconds with coverage: 80 to 10. They come first, so that no worker is left with one
# of them when the others have nothing to do. xdist would begin with the files of the most tests.
_LONGEST = [
    "tests/docs/test_tutorial.py",
    "tests/docs/test_site.py",
    "tests/test_laws.py",
    "tests/testing/model/test_state_machine.py",
    "tests/testing/mutation/test_runner.py",
    "tests/docs/test_commands.py",
    "tests/docs/test_examples.py",
    "tests/docs/test_types.py",
    "tests/cli/test_replay.py",
    "tests/test_fast_and_slow_transitions.py",
    "tests/testing/analysis/test_lint.py",
    "tests/testing/coverage/test_coverage.py",
    "tests/testing/coverage/test_plugin.py",
    "tests/diagrams/test_html.py",
    "tests/wire/test_fast_and_slow_paths.py",
    "session_fsm/testing/analysis/lint.py",
]

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
    """Put the longest files first, and the examples of each document back into their order: a text is not shuffled."""
    places = [place for place, item in enumerate(items) if isinstance(item, SybilItem)]
    examples = sorted((items[place] for place in places), key=lambda item: (str(item.path), item.reportinfo()[1] or 0))
    for place, example in zip(places, examples, strict=True):
        items[place] = example
    first = {Path(__file__).parent / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))
