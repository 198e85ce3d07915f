"""make audit: what it says of a report, and that it skips aloud."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests import audit

REPORT = """{"dependencies": [{"name": "safe", "version": "1", "vulns": []},
 {"name": "ours", "skip_reason": "not on the index"},
 {"name": "pillow", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"]},
  {"id": "PYSEC-2", "fix_versions": []}]}], "fixes": []}"""


def answer(patch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stdout, stderr)

    patch.setattr(audit.importlib.util, "find_spec", lambda name: object())
    patch.setattr(audit.subprocess, "run", run)


def test_every_hole_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer(monkeypatch, REPORT)
    assert audit.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "audit: not in the database: ours",
        "audit: pillow 1.0: PYSEC-1, mended by 1.1, 2.0",
        "audit: pillow 1.0: PYSEC-2, mended by no release yet",
        "audit: 2 known holes",
    ]
    answer(monkeypatch, '{"dependencies": []}')
    assert audit.main([]) == 0


def test_without_tool_or_database_it_skips_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "", "Traceback\nrequests.exceptions.ConnectionError: no route")
    assert audit.main([]) == 0
    assert "SKIPPED, pip-audit gave no report (requests.exceptions.ConnectionError" in capsys.readouterr().out
    assert audit.main(["--strict"]) == 3
    answer(monkeypatch, '{"dependencies": [{"name": "ours", "skip_reason": "not there"}]}')
    assert audit.main(["--strict"]) == 3
    assert "the database knows none" in capsys.readouterr().out
    monkeypatch.setattr(audit.importlib.util, "find_spec", lambda name: None)
    assert audit.main([]) == 0
    assert "SKIPPED, pip-audit is not installed" in capsys.readouterr().out
