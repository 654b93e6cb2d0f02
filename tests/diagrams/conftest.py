"""The browser in which the tests of diagrams open pages and pictures."""

from collections.abc import Iterator

import pytest
from browser import Browser, chromium


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(started: Browser) -> Iterator[Browser]:
    """The browser; after the test there must be no console messages and no requests."""
    started.log()
    started.requested()
    yield started
    assert started.log() == []
    assert {url.rpartition("/")[2] for url in started.requested()} <= {"page.html", "picture.svg"}
