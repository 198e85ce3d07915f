"""Aligned crops of every template, stated as what they are and as what they are not, for bench.finished.study --crops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2

from bench.data.numbering import AS_NAMED
from bench.data.pairs import Dataset, Pair
from bench.data.templates import SIZES, TEMPLATES, Aligned
from bench.finished.crops import FRAMES, CropCheck, Held, judge_crops
from bench.finished.judge import Verdict
from bench.finished.material import Film
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Detector
from smoothswap.media.video import even_indices
from smoothswap.pixels import Image

ALIKE = ({"simswap", "hififace"}, {"ffhq", "ffhq5"})
"""Templates that cut a frontal face alike, or nearly: one taken for the other can pass in silence, and is counted apart."""
Judged = tuple[str, str | None, Verdict | None]


def judged_crops(
    dataset: Dataset,
    films: Mapping[str, Film],
    swaps: Mapping[str, list[Image]],
    folder: Path,
    detector: Detector,
) -> Iterator[Judged]:
    """Every template's crops of some swaps, checked under every statement of what they are.

    Args:
        dataset: Holds the films as its originals.
        films: By clip.
        swaps: By name target_source, the frames of both ways of a pair.
        folder: For the crops' files.
        detector: Finds the targets' faces, by whose landmarks the crops are cut.

    Yields:
        What it is, its mend (None for a right statement, "" where there is none), and the verdict. Templates of ALIKE that
        stand for each other are called so, with their mend.
    """
    check = CropCheck(dataset)
    for template in TEMPLATES:
        own = Aligned(template, SIZES[template])
        where = folder / template
        held = {}
        for name, frames in swaps.items():
            target, source = name.split("_")
            if not _cut(where / name, own, films[target].frames, frames, detector):
                continue
            if (found := check.hold(_pair(target, source), where / name, AS_NAMED)) is not None:
                held[name] = found
        if len(held) < len(swaps):
            continue
        mend = f"--model 'crops:{where}?template={template}&size={own.size}'"
        yield f"{template}: as it is", None, judge_crops(held, own, str(where))
        yield (
            f"{template}: another size",
            mend,
            judge_crops(held, Aligned(template, 2 * own.size), str(where)),
        )
        yield f"{template}: names source_target", "--order source_target", _turned(check, where, swaps, own)
        for other in TEMPLATES:
            if other == template:
                continue
            kind = "alike" if {other, template} in ALIKE else "another template"
            verdict = judge_crops(held, Aligned(other, own.size), str(where))
            yield f"{template}: {kind}, {other}", mend, verdict


def _turned(check: CropCheck, where: Path, swaps: Mapping[str, list[Image]], own: Aligned) -> Verdict | None:
    """The same crops, each taken for the swap of the other way."""
    held: dict[str, Held] = {}
    for name in swaps:
        target, source = name.split("_")
        if (found := check.hold(_pair(source, target), where / name, AS_NAMED)) is not None:
            held[f"{source}_{target}"] = found
    return judge_crops(held, own, str(where)) if held else None


def _pair(target: str, source: str) -> Pair:
    return Pair(f"{target}_{source}", target, source, target, source)


def _cut(folder: Path, own: Aligned, target: list[Image], swap: list[Image], detector: Detector) -> bool:
    """Write a few of a swap's crops, cut at the target's landmarks; whether any could be cut."""
    folder.mkdir(parents=True)
    for i in even_indices(len(swap), FRAMES):
        try:
            crops = [own.cut(swap[i], face.landmarks) for face in detector.detect(target[i])[:1]]
        except AlignmentError:
            continue
        for crop in crops:
            cv2.imwrite(str(folder / f"{i:04d}.png"), cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))
    return any(folder.iterdir())
