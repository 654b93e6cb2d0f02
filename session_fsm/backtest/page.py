"""The HTML report."""

from __future__ import annotations

from session_fsm.backtest.report import Report


def page(report: Report) -> str:
    """Return the page."""
    return repr(report)
