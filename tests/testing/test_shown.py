"""Hypothesis reports show steps and stories as Python."""

from types import SimpleNamespace
from typing import Any

import pytest

from session_fsm import SessionUpdate
from session_fsm.testing import Step, Story


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (Step("cancel"), 'Step("cancel")'),
        (Step("close", SessionUpdate(referral_code="X")), 'Step("close", SessionUpdate(referral_code="X"))'),
        (Story.of(Step("create")), 'Story([Step("create", SessionUpdate())], own={})'),
    ],
)
def test_the_pretty_text_is_python(value: Any, code: str) -> None:
    texts: list[str] = []
    value._repr_pretty_(SimpleNamespace(text=texts.append), False)
    assert texts == [code]
    assert eval(code, {"Step": Step, "Story": Story, "SessionUpdate": SessionUpdate}).__class__ is type(value)
