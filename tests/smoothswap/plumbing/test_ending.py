"""How a command ends: by signals from its first moment on, with a reader who has gone, on a terminal of few letters."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from smoothswap.plumbing.ending import command_with
from smoothswap.plumbing.first import SIGNALS, ours
from tests.support import ROOT


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_command_that_still_imports_ends_in_a_line(number: signal.Signals, tmp_path: Path) -> None:
    """An import that takes for ever, and takes any exception for a lacking package."""
    (tmp_path / "scipy").mkdir()
    (tmp_path / "scipy" / "__init__.py").write_text(
        "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\nexcept BaseException:\n    pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.list"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[1] == "error: stopped\n"
    assert process.returncode == 128 + number


def test_a_program_that_only_imports_keeps_its_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    for words, is_ours in [
        (["python", "-m", "bench.ffpp", "--limit", "2"], True),
        (["python", "-X", "dev", "-m", "smoothswap.train"], True),
        (["python", "-m", "pytest", "bench"], False),
        (["python", "-m", "benchmark"], False),
    ]:
        monkeypatch.setattr(sys, "argv", ["-m"])
        monkeypatch.setattr(sys, "orig_argv", words)
        assert ours() is is_ours
    monkeypatch.setattr(sys, "argv", ["/usr/bin/smoothswap-bench", "ffpp"])
    assert ours()
    monkeypatch.setattr(sys, "argv", ["my_script.py"])
    assert not ours()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_work_once(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    left = []

    @command_with({})
    def main(argv: Sequence[str] | None = None) -> int:
        try:
            os.kill(os.getpid(), number)
            for _ in range(3000):  # another thread may take the signal: a pause in this one would not end
                time.sleep(0.01)
        finally:
            os.kill(os.getpid(), number)  # sent to the group too
            left.append(True)
        return 0

    assert main([]) == 128 + number
    assert left == [True]
    assert capsys.readouterr().err == "error: stopped\n"


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    @command_with({})
    def main(argv: Sequence[str] | None = None) -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        return 0

    try:
        assert main([]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_work_goes_on_when_its_reader_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = []

    @command_with({})
    def main(argv: Sequence[str] | None = None) -> int:
        for _ in range(10_000):
            print("a line for nobody")
        done.append(True)
        return 7

    with open(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main([]) == 7
        assert sys.stdout is stream
    assert done == [True]


def test_letters_that_a_terminal_has_not_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)

    @command_with({})
    def main(argv: Sequence[str] | None = None) -> int:
        print("1 ± 2 of \udcff")
        return 0

    assert main([]) == 0
    assert raw.getvalue() == b"1 \\xb1 2 of \\udcff\n"
    assert stream.errors == "strict"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_standard_output_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @command_with({})
    def main(argv: Sequence[str] | None = None) -> int:
        print("much")
        return 0

    with open("/dev/full", "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main([]) == 3
    assert capsys.readouterr().err == "error: No space left on device\n"


def test_an_error_of_the_system_says_which_file(capsys: pytest.CaptureFixture[str]) -> None:
    @command_with({})
    def main(argv: Sequence[str] | None = None) -> int:
        raise PermissionError(13, "Permission denied", "/a/file")

    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main([])))
    thread.start()
    thread.join()
    assert codes == [3]
    assert capsys.readouterr().err == "error: Permission denied: /a/file\n"
