"""What a run of the tests left out: counted by reason at its end, each with what would make it run."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a reason: "26 skipped: no real faces at hand (set SMOOTHSWAP_SHARED to ...)"."""
    reasons = Counter(reason(report) for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        terminalreporter.section("skipped, and what would make it run")
    for text, count in reasons.most_common():
        terminalreporter.line(f"{count} skipped: {text}")


def reason(report: pytest.TestReport) -> str:
    """Why a test was skipped, in the words of the skip."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
