"""A trial of each kind of fault that spoils one thing: weights, a clip, a name, a settings file, an argument list."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.data.clips import ClipError, FrameRule, read_original
from bench.faults import arguments, films, material, media, names, settings, weights
from bench.faults.campaign import Kind, Trial
from bench.faults.children import Ended, entries, inside, main_of, wrong
from bench.finished import thumbnails
from smoothswap.media.video import VideoError
from smoothswap.plumbing.apart import read_apart
from smoothswap.plumbing.packed import PickledError
from smoothswap.plumbing.tensors import opened

SECONDS = 4.0
"""Until a command that was not refused is cut."""


# ---- files of weights ----
def of_weights(fault: weights.WeightsFault) -> Trial:
    """A forged file is read as every loader of pickled weights reads one: by a process of its own.

    Args:
        fault: The kind.

    Returns:
        Its trial: content or one line; no signal, nothing executed.
    """

    def trial(seed: int, place: Path) -> str:
        marker = place / "ran"
        path = place / f"net{fault.suffix}"
        path.write_bytes(fault.forge(seed, str(marker)))
        said = ""
        try:
            opened(read_apart(path))
        except PickledError as error:
            said = str(error)
        if marker.exists():
            return "it was executed"
        if "ended by SIG" in said:
            return said
        if "\n" in said:
            return "its error has several lines"
        return "" if said or fault.outcome == "either" else "a forged file was taken for weights"

    return trial


# ---- clips ----
def of_clip(fault: media.MediaFault) -> Trial:
    """A damaged clip is read twice, as bench.ffpp's workers and the check of finished swaps read one.

    Args:
        fault: The kind.

    Returns:
        Its trial: the same frames twice, or one error that names the file.
    """

    def trial(seed: int, place: Path) -> str:
        path = films.film(place / "000.mp4", seed % 2, 8)
        fault.inject(path, seed)
        if not path.is_symlink() and not path.exists():
            path = path.with_suffix("")  # it became a folder of frames

        def read(_: Sequence[str]) -> int:
            print(_as_it_should(path, fault.rows), end="")
            return 0

        ended = inside(read, [], place, 60.0)
        if ended.late:
            return "reading it hangs"
        return wrong(ended, place, entries(place)) or ended.out

    return trial


def _as_it_should(path: Path, rows: str) -> str:
    came: list[object] = []
    for _ in range(2):
        try:
            read = read_original(path, FrameRule(3))
            came.append([read.count, *(None if frame is None else frame.tobytes() for frame in read.frames)])
        except (VideoError, ClipError) as error:
            came.append(str(error))
    first = came[0]
    readable = isinstance(first, list) and any(frame is not None for frame in first[1:])
    try:
        thumbnails.read(path, most=3)
    except thumbnails.UNREADABLE:
        if rows == "ok":
            return "a good film is not read for the check"
    if first != came[1]:
        return "two passes read two things"
    if isinstance(first, str) and ("\n" in first or str(path) not in first):
        return f"an error that names no file: {first}"
    if rows == "ok" and not readable:
        return "a good film is not read"
    return "a file that is no film is read as one" if rows == "failed" and readable else ""


# ---- names ----
def of_name(fault: names.NameFault) -> Trial:
    """A name is given to a model, and where it can be one, to an output.

    Args:
        fault: The kind.

    Returns:
        Its trial: refused in one line, or taken; nothing is written outside of the folder.
    """

    def trial(seed: int, place: Path) -> str:
        material.lay_out(place)
        name = fault.draw(seed)
        words = [
            "--data",
            "in/tree",
            "--model",
            f"{name}=copy-source",
            "--no-references",
            "--out",
            "out",
            "--dry-run",
        ]
        said, ended = _given("bench.ffpp", words, place, 20.0)
        taken = ended.code == 0
        if said or taken != (fault.model == "shown"):
            return said or f"as a model's name it is {'taken' if taken else 'refused'}"
        if fault.path is None:
            return ""
        out = place / "out" / unicodedata.normalize("NFC", name)
        said, ended = _given(
            "bench.make_pairs", ["--from", "in/people", "--out", f"out/{name}.csv"], place, 20.0
        )
        return said or (
            ""
            if ended.code == 0 or len(out.name.encode()) > 200
            else f"as an output's it ends with {ended.code}"
        )

    return trial


# ---- commands ----
def _given(module: str, words: Sequence[str], place: Path, seconds: float = SECONDS) -> tuple[str, Ended]:
    before = entries(place)
    ended = inside(main_of(module), words, place, seconds)
    said = wrong(ended, place, before)
    return said and f"{module}: {said}", ended


def of_command(draw: Callable[[Path, int], tuple[str, list[str]]], seconds: float = SECONDS) -> Trial:
    """A command is given what a fault draws.

    Args:
        draw: draw(place, seed) spoils what lies there, and gives a module and its arguments.
        seconds: After which it is cut, as one that was not refused.

    Returns:
        Its trial: a documented exit code, one line of error, nothing left behind.
    """

    def trial(seed: int, place: Path) -> str:
        material.lay_out(place)
        module, words = draw(place, seed)
        said, _ = _given(module, words, place, seconds)
        shutil.rmtree(place / "in", ignore_errors=True)
        return said

    return trial


def _arguments(fault: arguments.ArgumentFault) -> Trial:
    return of_command(lambda _, seed: fault.draw(seed))


KINDS = (
    *(Kind("weights", fault.name, of_weights(fault), 110, 2) for fault in weights.FAULTS),
    *(Kind("clips", fault.name, of_clip(fault), 20) for fault in media.FAULTS.values()),
    *(Kind("names", fault.name, of_name(fault), 6, 0) for fault in names.FAULTS),
    *(Kind("arguments", fault.name, _arguments(fault), 74, 1) for fault in arguments.FAULTS),
    *(Kind("settings", fault.name, of_command(fault.inject, 6.0), 55, 1) for fault in settings.FAULTS),
)
"""Every kind of these."""
