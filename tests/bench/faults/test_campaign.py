"""The campaign: counts, the table, children that are cut, and a short form of it whose faults all survive."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.faults import arguments, children
from bench.faults.__main__ import main
from bench.faults.campaign import Kind, NotHereError, campaign, chosen, content, markdown
from bench.faults.kinds import KINDS
from smoothswap.cli import check_file, check_folder, command
from smoothswap.errors import UsageError
from smoothswap.media.patience import patient, reading
from tests.test_commands import commands


def odd_is_left(seed: int, place: Path) -> str:
    (place / "made").write_text("x")
    return f"{place} is odd" if seed % 2 else ""


def raises(seed: int, place: Path) -> str:
    raise KeyError("nobody foresaw it")


def not_here(seed: int, place: Path) -> str:
    raise NotHereError("no right to mount")


def test_faults_are_counted_and_what_is_left_has_its_reason() -> None:
    kinds = [Kind("a", "odd", odd_is_left, 5), Kind("a", "raises", raises, 2), Kind("b", "none", not_here, 9)]
    said: list[str] = []
    odd, broken, none = campaign(kinds, 10, lambda kind: kind.count, said.append)
    assert (odd.tried, odd.survived, odd.left) == (5, 3, {"PLACE is odd": {"count": 2, "seed": 11}})
    assert (broken.tried, broken.survived) == (2, 0)
    assert broken.left == {"KeyError: 'nobody foresaw it'": {"count": 2, "seed": 10}}
    assert (none.tried, none.skipped) == (0, "no right to mount")
    assert said == ["a: odd: 3 of 5", "a: raises: 0 of 2", "b: none: no right to mount"]
    found = content([odd, broken, none], 10, "python -m bench.faults")
    assert (found["tried"], found["survived"]) == (7, 3)
    text = markdown(json.loads(json.dumps(found)))
    assert "| **a** | 2 kinds | 7 | 3 | |" in text
    assert "| | odd | 5 | 3 | 2: PLACE is odd (seed 11) |" in text
    assert "| | none | 0 | 0 | not tried: no right to mount |" in text
    assert text.endswith("| **all** | | 7 | 3 | |")


def test_a_campaign_in_parts_keeps_what_was_counted() -> None:
    kinds = [Kind("a", "odd", odd_is_left, 2), Kind("b", "odd", odd_is_left, 2)]
    tallies = [campaign([kind], 0, lambda kind: kind.count, lambda _: None)[0] for kind in kinds]
    first = content(tallies[:1], 0, "first")
    again = content(tallies, 0, "again", content(tallies[1:], 4, "second", first))
    assert [(kind["family"], kind["command"]) for kind in again["kinds"]] == [("a", "again"), ("b", "again")]
    both = content(tallies[1:], 4, "second", first)
    assert {kind["family"]: (kind["command"], kind["first_seed"]) for kind in both["kinds"]} == {
        "a": ("first", 0),
        "b": ("second", 4),
    }
    assert both["tried"] == 4


def test_kinds_are_chosen_by_family_or_name() -> None:
    assert next(kind.name for kind in chosen(KINDS, ["arguments:odd numbers", "disks"])) == "odd numbers"
    assert {kind.family for kind in chosen(KINDS, ["weights"])} == {"weights"}
    assert chosen(KINDS, []) == list(KINDS)
    with pytest.raises(KeyError, match="wieghts"):
        chosen(KINDS, ["wieghts"])
    assert len({(kind.family, kind.name) for kind in KINDS}) == len(KINDS)


def test_a_wrong_kind_and_a_foreign_file_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--kinds", "wieghts"]) == 2
    assert "no kind of faults 'wieghts'. Did you mean 'weights'?" in capsys.readouterr().err
    (tmp_path / "x.json").write_text("[1]")
    assert main(["--out", str(tmp_path / "x.json")]) == 3
    assert "holds no counts of a campaign" in capsys.readouterr().err
    assert main(["--list", "--kinds", "weights"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "weights:flipped bytes  110, short 2"


# ---- children ----
@command
def refused(argv: Sequence[str] | None = None) -> int:
    check_folder(Path("new/out"))
    check_file(Path("other/file"))
    raise UsageError("no")


@command
def fills(argv: Sequence[str] | None = None) -> int:
    check_folder(Path("new/out"))
    Path("new/out/file").write_text("x")
    raise UsageError("no")


@command
def done(argv: Sequence[str] | None = None) -> int:
    check_folder(Path("new/out"))
    return 0


def breaks(argv: Sequence[str]) -> int:
    return [][int(argv[0])]


def ends_in_words(argv: Sequence[str]) -> int:
    sys.exit("words")


def litters(argv: Sequence[str]) -> int:
    Path("left").mkdir()
    print("error: refused", file=sys.stderr)
    return 2


def dies(argv: Sequence[str]) -> int:
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


def works(argv: Sequence[str]) -> int:
    time.sleep(60)
    return 0


def starts(argv: Sequence[str]) -> int:
    multiprocessing.get_context("spawn").Process(target=print).start()
    raise AssertionError("a process was started")


def leaves(argv: Sequence[str]) -> int:
    Path(argv[0]).write_text("x")
    raise AssertionError("it wrote outside of its folder")


def hangs(argv: Sequence[str]) -> int:
    with patient(1), reading("in/film.mp4"):
        time.sleep(60)
    return 0


@pytest.mark.parametrize(
    ("main", "code", "said"),
    [
        (refused, 2, ""),
        (done, 0, ""),
        (breaks, 1, "traceback: IndexError: list index out of range"),
        (ends_in_words, 1, "exit code 1"),
        (litters, 2, "refused, and left left"),
        (dies, -signal.SIGSEGV, "ended by SIGSEGV"),
        (works, None, ""),
        (starts, None, ""),
        (leaves, None, ""),
        (hangs, 3, ""),
    ],
)
def test_how_a_child_ended(main: object, code: int | None, said: str, tmp_path: Path) -> None:
    place, outside = tmp_path / "place", tmp_path / "outside"
    place.mkdir()
    limit = 0.3 if main is works else 20.0
    ended = children.inside(main, ["0" if main is breaks else str(outside)], place, limit)  # type: ignore[arg-type]
    assert (ended.code, ended.late) == (code, main is works), ended
    assert children.wrong(ended, place, frozenset()) == said
    assert not outside.exists()
    assert not list(tmp_path.glob(".place.*"))
    if main is hangs:
        assert ended.error == (
            "error: in/film.mp4: reading it hangs, after 1 seconds; convert it anew, or leave it out\n"
        )


def test_a_refused_command_takes_its_empty_folders_along(tmp_path: Path) -> None:
    for run, left in (
        (refused, set()),
        (fills, {"new", "new/out", "new/out/file"}),
        (done, {"new", "new/out"}),
    ):
        place = tmp_path / run.__name__
        place.mkdir()
        children.inside(run, [], place, 20.0)
        assert children.entries(place) == left


# ---- argument lists ----
def test_every_command_and_every_option_is_reached() -> None:
    found = arguments.surfaces()
    reached = {surface.module for surface in found}
    assert reached == set(commands()) - {"bench", "bench.list"} | {"bench.list"}
    options = [(surface.command, option) for surface in found for option in surface.options]
    assert len(options) > 280
    assert {option.sort for _, option in options} == {"path", "number", "text", "choice"}
    assert ("bench.ffpp", "--model") in {(command, option.name) for command, option in options}
    assert ("smoothswap.train export", "--name") in {(command, option.name) for command, option in options}


def test_argument_lists_come_again_by_their_seed_and_meet_every_command() -> None:
    for fault in arguments.FAULTS:
        drawn = [fault.draw(seed) for seed in range(len(arguments.surfaces()))]
        assert drawn == [fault.draw(seed) for seed in range(len(arguments.surfaces()))]
        assert {module for module, _ in drawn} == {surface.module for surface in arguments.surfaces()}


@pytest.mark.parametrize("name", arguments.BASES)
def test_the_words_that_wrong_ones_are_added_to_are_right(name: str) -> None:
    module, *sub = name.split()
    assert arguments.parser_of(module).parse_args([*sub, *arguments.BASES[name].split()])


def test_the_short_campaign_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--short"])
    table = capsys.readouterr().out
    assert code == 0, table
    short = [kind for kind in KINDS if kind.short]
    assert (
        f"| **all** | | {sum(kind.short for kind in short)} | {sum(kind.short for kind in short)} | |"
        in table
    )
