"""Count how the check of finished swaps judges right ones and wrong ones: variants made of rendered and real people.

Examples:
  python -m bench.finished.study --photos lfw/images_deepfunneled --out results/finished-check.json
  python -m bench.finished.study --crops --photos lfw/images_deepfunneled --out results/crops-check.json

Every variant is a folder of the swaps of one pair, both ways, with one mistake or none. A wrong variant that is neither
refused nor warned of is silent.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from bench.cli import command
from bench.data import rendered
from bench.data.ffpp import FaceForensics
from bench.data.numbering import parse
from bench.errors import EXIT_OK
from bench.finished import material
from bench.finished.check import Check
from bench.finished.crop_variants import judged_crops
from bench.finished.judge import Verdict
from bench.finished.material import Film
from bench.swappers import create
from reports.results import write_atomic
from smoothswap.cli import Parser, at_least, check_file
from smoothswap.faces.align import AlignmentError, ffhq_crop
from smoothswap.faces.detect import Detector
from smoothswap.media.video import even_indices, write_video
from smoothswap.pixels import Image

Frames = list[Image]
RATE = 25
PAIRS = [["000", "001"], ["002", "003"]]


@dataclass(frozen=True)
class Pairing:
    """Four films, the swaps of the first two by name, and one of the others'. kind: rendered, or how a photo was filmed."""

    kind: str
    films: dict[str, Film]
    swaps: dict[str, Frames]
    stranger: Frames


def _video(path: Path, frames: Frames, rate: float = RATE, crf: int = 23) -> None:
    write_video(path.with_suffix(".mp4"), frames, fps=rate, crf=crf)


def _folder(path: Path, frames: dict[int, Image]) -> None:
    path.mkdir()
    for number, frame in frames.items():
        cv2.imwrite(str(path / f"{number:04d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))


def _ten(frames: Frames) -> list[int]:
    return even_indices(len(frames), 10)


def _rate(frames: Frames, rate: int) -> Frames:
    """As FFmpeg's fps filter makes another rate of these frames."""
    picked = parse(f"x{RATE}/{rate}").frames(range(len(frames) * rate // RATE), len(frames))
    return [frames[i] for i in picked if i < len(frames)]


def _light(frames: Frames) -> Frames:
    return [np.clip(frame * 0.85 + 20, 0, 255).astype(np.uint8) for frame in frames]


def _half(frames: Frames) -> Frames:
    height, width = (side // 4 * 2 for side in frames[0].shape[:2])
    return [
        np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        for frame in frames
    ]


Write = Callable[[Path, Frames], None]
RIGHT: dict[str, Write] = {
    "video": lambda path, frames: _video(path, frames),
    "video, strongly compressed": lambda path, frames: _video(path, frames, crf=33),
    "folder": lambda path, frames: _folder(path, dict(enumerate(frames))),
    "folder of the scored frames": lambda path, frames: _folder(path, {i: frames[i] for i in _ten(frames)}),
    "other light": lambda path, frames: _video(path, _light(frames)),
    "half the size": lambda path, frames: _video(path, _half(frames)),
    "everything repainted": lambda path, frames: _video(path, material.repainted(frames, 0)),
}
WRONG: dict[str, tuple[Write, str]] = {
    "numbered from 1": (lambda path, frames: _folder(path, {i + 1: f for i, f in enumerate(frames)}), "from-1"),
    "a video one frame late": (lambda path, frames: _video(path, [frames[0], *frames[:-1]]), "from-1"),
    "the first frame is missing": (lambda path, frames: _video(path, frames[1:]), "skip-1"),
    "30 frames a second": (lambda path, frames: _video(path, _rate(frames, 30), 30), "x5/6"),
    "15 frames a second": (lambda path, frames: _video(path, _rate(frames, 15), 15), "x5/3"),
    "ten frames, 0 to 9": (
        lambda path, frames: _folder(path, {n: frames[i] for n, i in enumerate(_ten(frames))}), "chosen",
    ),
    "ten frames, 1 to 10": (
        lambda path, frames: _folder(path, {n + 1: frames[i] for n, i in enumerate(_ten(frames))}), "chosen",
    ),
    "each third frame, renumbered": (
        lambda path, frames: _folder(path, dict(enumerate(frames[::3]))), "every-3",
    ),
    "sorted as text": (
        lambda path, frames: _video(path, [frames[i] for i in sorted(range(len(frames)), key=str)]), "",
    ),
}  # fmt: skip
NAMES = ("names source_target", "another clip", "aligned crops")


def variants(pairing: Pairing, folder: Path, detector: Detector) -> Iterator[tuple[str, str | None]]:
    """Write each variant in turn.

    Args:
        pairing: Of what.
        folder: Where; emptied before each.
        detector: Finds the faces of aligned crops.

    Yields:
        What it is, and the mend that belongs to it: None for a right one, "" where there is none.
    """
    for what, write in RIGHT.items():
        _clear(folder)
        for name, frames in pairing.swaps.items():
            write(folder / name, frames)
        yield what, None
    for what, (write, mend) in WRONG.items():
        _clear(folder)
        for name, frames in pairing.swaps.items():
            write(folder / name, frames)
        yield what, f"--frame-numbers {mend}" if mend else ""
    _clear(folder)
    for name, frames in pairing.swaps.items():
        target, source = name.split("_")
        _video(folder / f"{source}_{target}", frames)
    yield NAMES[0], "--order source_target"
    _clear(folder)
    for name in pairing.swaps:
        _video(folder / name, pairing.stranger)
    yield NAMES[1], ""
    _clear(folder)
    crops = {name: _crops(frames, detector) for name, frames in pairing.swaps.items()}
    if all(crops.values()):
        for name, frames in crops.items():
            _video(folder / name, frames)
        yield NAMES[2], ""


def _crops(frames: Frames, detector: Detector) -> Frames:
    crops = []
    for i in _ten(frames):
        try:
            crops += [ffhq_crop(frames[i], face.landmarks, 256)[0] for face in detector.detect(frames[i])[:1]]
        except AlignmentError:
            continue
    return crops


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def outcome(verdict: Verdict | None, mend: str | None) -> str:
    """How a variant was judged.

    Args:
        verdict: The check's.
        mend: As `variants` gives it.

    Returns:
        refused, warned or fits; of a wrong one refused with its mend, refused otherwise, warned, or silent.
    """
    if verdict is None or verdict.kind in ("doubtful", "cannot_tell"):
        return "warned"
    if mend is None:
        return "refused" if verdict.kind == "wrong" else "fits"
    if verdict.kind == "fits":
        return "silent"
    return "refused with its mend" if verdict.mend.split("@")[0] == mend else "refused otherwise"


def pairings(folder: Path | None, pairs: int, seed: int, detector: Detector) -> Iterator[Pairing]:
    """The material: pairs of rendered people, then of photographed ones.

    Args:
        folder: Of people's folders of photos; None: rendered people alone.
        pairs: Of each kind.
        seed: Of the lots.
        detector: Finds faces.

    Yields:
        One pair after the other.
    """
    root = rendered.ensure()
    data = FaceForensics(root)
    films = []
    for pair in data.pairs("test")[::2]:
        both = [
            film
            for clip in (pair.target, pair.source)
            if (path := data.path(data.original(clip))) and (film := material.of_video(path, detector))
        ]
        if len(both) == 2:
            films.append((both[0], both[1]))
        if len(films) > pairs:
            break
    yield from _paired("rendered", films)
    if folder is None:
        return
    for k, kind in enumerate(material.FILMS):
        drawn = material.photos(folder, 2 * pairs + 2, seed + k, detector)
        made = [material.of_photo(photo, box, kind, seed + i) for i, (photo, box) in enumerate(drawn)]
        yield from _paired(kind, list(zip(made[::2], made[1::2], strict=True)))


def _paired(kind: str, films: list[tuple[Film, Film]]) -> Iterator[Pairing]:
    for (a, b), (c, d) in pairwise(films):
        swaps = {"000_001": material.pasted(a, b), "001_000": material.pasted(b, a)}
        yield Pairing(kind, {"000": a, "001": b, "002": c, "003": d}, swaps, material.pasted(c, a))


def judged(
    pairing: Pairing, work: Path, detector: Detector
) -> Iterator[tuple[str, str | None, Verdict | None]]:
    """Every variant of a pair, checked.

    Args:
        pairing: The pair.
        work: A folder for its files.
        detector: Finds faces.

    Yields:
        What it is, its mend, and the verdict.
    """
    data = _tree(pairing, work)
    check = Check(data, data.pairs("test"))
    folder = work / "swaps"
    for what, mend in variants(pairing, folder, detector):
        yield what, mend, check(create(f"images:{folder}", data))


def _tree(pairing: Pairing, work: Path) -> FaceForensics:
    """A data set whose originals are a pair's films."""
    root = work / "tree"
    videos = root / "original_sequences" / "youtube" / "c23" / "videos"
    videos.mkdir(parents=True)
    (root / "splits").mkdir()
    for clip, film in pairing.films.items():
        _video(videos / clip, film.frames)
    for split in ("train", "val", "test"):
        (root / "splits" / f"{split}.json").write_text(json.dumps(PAIRS if split == "test" else []))
    return FaceForensics(root)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m bench.finished.study", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="folder of people's folders of photos (none)"
    )
    parser.add_argument(
        "--pairs", type=at_least(1), default=6, metavar="N", help="of each kind (%(default)s)"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, metavar="N", help="of the lots (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the counts, JSON")
    parser.add_argument(
        "--crops",
        action="store_true",
        help="count aligned crops by what their template is said to be, instead",
    )
    options = parser.parse_args(argv)
    check_file(options.out)
    detector = Detector()
    counts: dict[str, dict[str, Counter[str]]] = {"right": {}, "wrong": {}}
    if options.crops:
        counts["alike"] = {}
    odd = []
    for pairing in tqdm(
        pairings(options.photos, options.pairs, options.seed, detector), file=sys.stderr, unit="pair"
    ):
        with tempfile.TemporaryDirectory() as work:
            found = judged(pairing, Path(work), detector)
            if options.crops:
                data = _tree(pairing, Path(work))
                found = judged_crops(data, pairing.films, pairing.swaps, Path(work) / "crops", detector)
            for what, mend, verdict in found:
                result = outcome(verdict, mend)
                group = counts["right" if mend is None else "alike" if ": alike" in what else "wrong"]
                group.setdefault(f"{pairing.kind}: {what}", Counter())[result] += 1
                if result in ("refused", "silent", "refused otherwise") and group is not counts.get("alike"):
                    odd.append([pairing.kind, what, result, verdict.text if verdict else ""])
        # Written as it goes: the study takes minutes.
        write_atomic(options.out, json.dumps(_content(options, counts, odd), indent=1) + "\n")
    print(json.dumps(_content(options, counts, odd)["totals"]))
    return EXIT_OK


def _content(
    options: argparse.Namespace, counts: dict[str, dict[str, Counter[str]]], odd: list[list[str]]
) -> dict[str, Any]:
    totals = {kind: dict(sum(group.values(), Counter())) for kind, group in counts.items()}
    return {
        "command": f"bench.finished.study{' --crops' if options.crops else ''}",
        "pairs": options.pairs,
        "seed": options.seed,
        "photos": options.photos is not None,
        "variants": sum(sum(total.values()) for total in totals.values()),
        "totals": totals,
        **{
            kind: {what: dict(count) for what, count in sorted(group.items())}
            for kind, group in counts.items()
        },
        "odd": odd,
    }


if __name__ == "__main__":
    sys.exit(main())
