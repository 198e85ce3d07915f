"""Every command has the same manners: help with an example, one line for an error, an exit code for a signal."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench import cli as bench_cli
from metrics.instruments import InstrumentError
from reports.results import OutputError, ResultsError
from smoothswap.cli import Parser, at_least, between, check_folder, command, command_with, real
from smoothswap.errors import DataError, EndedEarly, UsageError
from tests.support import ROOT

PACKAGES = ("bench", "smoothswap", "metrics", "reports")


def commands() -> list[str]:
    """Modules that `python -m` runs: what it takes is a function main and the line that calls it."""
    names = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8"):
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                names.append(module.removesuffix(".__main__"))
    return names


def main_of(name: str) -> Callable[[Sequence[str]], int]:
    package = ROOT.joinpath(*name.split("."), "__main__.py").is_file()
    return importlib.import_module(f"{name}.__main__" if package else name).main  # type: ignore[no-any-return]


def test_the_commands_are_found() -> None:
    found = commands()
    assert len(found) >= 18
    assert {"bench.ffpp", "smoothswap.train", "smoothswap.rendered.dataset", "reports"} <= set(found)


@pytest.mark.parametrize(
    "name", [name for name in commands() if not name.startswith("metrics") and name != "bench"]
)
def test_help_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main_of(name)(["--help"])
    text = capsys.readouterr().out
    usage, _, rest = text.partition("\n\n")
    assert usage.startswith(f"usage: python -m {name}")
    example = (
        rf"python -m {re.escape(name)}(\s|$)"
        if name != "smoothswap.train"
        else "python -m smoothswap.train embedder"
    )
    assert re.search(example, rest), rest


# `bench` hands on what it is given: tests/bench/test_console.py
PARSED = [name for name in commands() if not name.startswith(("metrics", "reports")) and name != "bench"]


@pytest.mark.parametrize("name", PARSED)
def test_a_misspelt_option_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main_of(name)(["--hepl"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert lines[0].endswith(f"(see python -m {name} --help)")


def nested() -> Parser:
    made = Parser("python -m it")
    made.add_argument("--colour")
    sub = made.add_subparsers(dest="command").add_parser("paint")
    sub.add_argument("--brush", type=at_least(2))
    return made


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--color=red"], "unknown option '--color=red'. Did you mean '--colour'?"),
        (["--colo=red"], "unknown option '--colo=red'. Did you mean '--colour'?"),
        (["paint", "--brish", "3"], "unknown option '--brish'. Did you mean '--brush'?"),
        (["paint", "--brush", "1"], "argument --brush: '1' is not a whole number of at least 2"),
        (["--zzz"], "unknown option '--zzz'. (see"),
    ],
)
def test_what_was_meant(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        nested().parse_args(given)
    assert f"error: {said}" in capsys.readouterr().err


def test_types_of_options() -> None:
    assert (at_least(0)("0"), between(1, 3)("3"), real(0, 1)("0.25"), real(0)("1e3")) == (0, 3, 0.25, 1000.0)
    wrong: list[tuple[Callable[[str], object], str]] = [
        (at_least(1), "-1"),
        (at_least(1), "2.5"),
        (between(1, 3), "4"),
        (real(0), "-0.1"),
        (real(0, 1), "1.1"),
        (real(0), "nan"),
        (real(0), "inf"),
        (real(0), "many"),
    ]
    for kind, text in wrong:
        with pytest.raises(argparse.ArgumentTypeError, match=re.escape(repr(text))):
            kind(text)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no such thing"), 2, "error: no such thing\n"),
        (DataError("a damaged file"), 3, "error: a damaged file\n"),
        (DataError("odd \udcff name"), 3, "error: odd \\udcff name\n"),
        (EndedEarly(7, "it ended"), 7, "error: it ended\n"),
        (KeyboardInterrupt(), 130, "error: stopped\n"),
    ],
)
def test_how_a_command_ends(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @command
    def main(argv: Sequence[str] | None = None) -> int:
        raise error

    assert main([]) == code
    assert capsys.readouterr().err == said


def test_the_most_special_code_counts(capsys: pytest.CaptureFixture[str]) -> None:
    class Full(DataError):
        pass

    kinds = {"full": Full, "data": DataError, "value": ValueError, "foreign": argparse.ArgumentTypeError}

    @command_with({Full: 4, ValueError: 9})
    def main(argv: Sequence[str] | None = None) -> int:
        raise kinds[(argv or [""])[0]]("said")

    assert [main(["full"]), main(["data"]), main(["value"])] == [4, 3, 9]
    with pytest.raises(argparse.ArgumentTypeError):  # no ValueError: what nobody named passes
        main(["foreign"])
    assert capsys.readouterr().err == "error: said\n" * 3


@pytest.mark.parametrize(
    ("kind", "code"),
    [(InstrumentError, 2), (OutputError, 3), (ResultsError, 3), (UsageError, 2), (DataError, 3)],
)
def test_bench_adds_the_errors_of_instruments_and_results(kind: type[Exception], code: int) -> None:
    @bench_cli.command
    def main(argv: Sequence[str] | None = None) -> int:
        raise kind("said")

    assert main([]) == code


def test_sigterm_ends_a_command_with_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)

    @command_with(stopped="stopped; give the same command again")
    def main(argv: Sequence[str] | None = None) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(3000):  # another thread may take the signal: a pause in this one would not end
                time.sleep(0.01)
        except Exception as error:
            raise AssertionError("the stop was taken for an error") from error
        return 0

    assert main([]) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "error: stopped; give the same command again\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_command_runs_in_a_thread() -> None:
    @command
    def main(argv: Sequence[str] | None = None) -> int:
        raise DataError("seen")

    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main([])))
    thread.start()
    thread.join()
    assert codes == [3]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    check_folder(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(
        DataError, match=r"cannot write to the output folder .*file.*choose another with --out"
    ):
        check_folder(tmp_path / "file" / "below")
