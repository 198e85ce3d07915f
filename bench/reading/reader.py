"""Frames in, readings out: detection, the choice of the face, crops and instruments.

Nothing here needs torch, so a worker process (bench/reading/pool.py) starts in about a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bench.reading.crops import cut
from bench.reading.instruments import create
from bench.reading.pictures import PictureReader
from bench.reading.same import Read, embedder, follow
from bench.reading.shown import UNKNOWN, Shown, shown
from metrics.instruments import Instrument
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.choose import choose
from smoothswap.faces.detect import create as create_detector
from smoothswap.faces.face import Face
from smoothswap.pixels import Image

Vector = npt.NDArray[np.float32]
Status = Literal["ok", "no_face", "many_faces", "decode_error", "model_error", "not_available"]
STATUSES: tuple[str, ...] = get_args(Status)


@dataclass(frozen=True)
class Reading:
    """One face of one frame.

    Args:
        found: How many faces the frame has.
        face: The one that was chosen; None unless status is "ok".
        status: "ok", or why there is nothing to read.
        reason: Why, in words; empty for "ok".
        values: "<instrument>/<reading>" -> float32 [d], NaN where the instrument failed; empty unless status is "ok".
        look: Features of the face's square by bench.reading.pictures, network -> float32 [d]; empty where not asked for.
        shown: Of an original's face: its size and brightness (bench.reading.shown); NaN for others.
    """

    found: int
    face: Face | None
    status: Status
    reason: str = ""
    values: dict[str, Vector] = field(default_factory=dict)
    look: dict[str, Vector] = field(default_factory=dict)
    shown: Shown = UNKNOWN


class Reader:
    """Reads frames in this process: detects the faces, chooses one, cuts its crops and hands them to the instruments.

    Args:
        instruments: Specs, as metrics.instruments.create takes them.
        faces_rule: Protocol.faces_rule.
        inception: Weights of Inception v3 for FID; None: without.
        detector: Which finds the faces, by the name that smoothswap.faces.detect.create takes.

    Raises:
        InstrumentError: For an instrument that cannot be made.
        DetectorError: Where the detector's files are missing.
    """

    def __init__(
        self,
        instruments: Sequence[str],
        faces_rule: str,
        inception: Path | None = None,
        detector: str = "yunet",
    ) -> None:
        self._detector = create_detector(detector)
        self._embed: Read | None = None
        self._pictures = PictureReader(inception)
        self._rule = faces_rule
        self._instruments: list[Instrument] = [create(spec, single=True) for spec in instruments]

    def originals(self, frames: Sequence[Image], look: bool = False) -> list[Reading]:
        """Read frames of one original clip, of each the face that the protocol's rule chooses.

        Args:
            frames: uint8 [h, w, 3] RGB each, in order of time.
            look: Whether the pictures themselves are read too (Reading.look).

        Returns:
            A reading for each frame.

        Raises:
            InstrumentError: When an instrument cannot read its crops.
        """
        found = [self._detector.found(frame) for frame in frames]
        detected = [[face for face in faces if not face.doubt] for faces in found]
        single = self._rule == "single"
        chosen = choose(detected, "largest" if single else self._rule)
        others = [""] * len(frames)
        if self._rule == "largest_tracked" and len(frames) > 1 and any(detected):
            chosen, others = follow(frames, detected, chosen, self._person())
        readings = []
        for faces, everyone, face, other in zip(detected, found, chosen, others, strict=True):
            if single and len(faces) > 1:
                readings.append(Reading(len(faces), None, "many_faces", f"{len(faces)} faces in the frame"))
            elif face is None:
                readings.append(Reading(len(everyone), None, "no_face", other or _lost(faces, everyone)))
            else:
                readings.append(Reading(len(faces), face, "ok"))
        read = [
            one if one.face is None else replace(one, shown=shown(frame, one.face))
            for frame, one in zip(frames, self._read(frames, readings), strict=True)
        ]
        return self._look(frames, [one.face for one in read], read) if look else read

    def _person(self) -> Read:
        """What tells one person from another, loaded when a clip first needs it."""
        if self._embed is None:
            self._embed = embedder()
        return self._embed

    def swaps(self, frames: Sequence[Image], targets: Sequence[Face], look: bool = False) -> list[Reading]:
        """Read swapped frames, of each the face nearest to the target's (Protocol.swap_face_rule).

        Args:
            frames: uint8 [h, w, 3] RGB each.
            targets: Of each the face of its target frame.
            look: Whether the pictures themselves are read too, each where its target's face lies.

        Returns:
            A reading for each frame.

        Raises:
            InstrumentError: When an instrument cannot read its crops.
        """
        found = [
            nearest(self._detector.found(frame), face) for frame, face in zip(frames, targets, strict=True)
        ]
        read = self._read(frames, found)
        return self._look(frames, targets, read) if look else read

    def _look(
        self, frames: Sequence[Image], faces: Sequence[Face | None], readings: list[Reading]
    ) -> list[Reading]:
        """Add what each picture looks like where the face `faces` lies: of a swap the target's, lost or not."""
        shown = [i for i, face in enumerate(faces) if face is not None]
        looks = self._pictures.read([(frames[i], _landmarks(faces[i])) for i in shown])
        for i, look in zip(shown, looks, strict=True):
            readings[i] = replace(readings[i], look=look)
        return readings

    def _read(self, frames: Sequence[Image], readings: list[Reading]) -> list[Reading]:
        """Fill in what the instruments read from the chosen faces."""
        crops: dict[int, list[Image]] = {}
        for i, reading in enumerate(readings):
            if reading.face is None:
                continue
            try:
                crops[i] = [cut(frames[i], reading.face.landmarks, one.crop) for one in self._instruments]
            except AlignmentError as error:
                readings[i] = Reading(reading.found, None, "no_face", f"the face cannot be aligned: {error}")
        if not crops:
            return readings
        landmarks = np.stack([_face(readings[i]).landmarks for i in crops]).astype(np.float32)
        for j, instrument in enumerate(self._instruments):
            read = instrument.read(np.stack([cuts[j] for cuts in crops.values()]), landmarks)
            for name in instrument.reads:
                for row, i in enumerate(crops):
                    readings[i].values[f"{instrument.name}/{name}"] = np.asarray(read[name][row], np.float32)
        return readings


def nearest(faces: Sequence[Face], target: Face) -> Reading:
    """Choose the face whose box centre is nearest to the target's; farther than one box side is no face.

    Args:
        faces: Those of a swapped frame.
        target: The face of its target frame.

    Returns:
        A reading without values: "ok" with the face, or "no_face" with the reason, also where its landmarks are doubted.
    """
    if not faces:
        return Reading(0, None, "no_face", "no face was detected in the swapped frame")
    x, y = _centre(target)
    distances = [float(np.hypot(_centre(face)[0] - x, _centre(face)[1] - y)) for face in faces]
    best = int(np.argmin(distances))
    side = max(target.box[2] - target.box[0], target.box[3] - target.box[1])
    if distances[best] > side:
        reason = f"the nearest face of the swapped frame is {distances[best]:.0f} px from the target's"
        return Reading(len(faces), None, "no_face", f"{reason}, whose box is {side:.0f} px")
    if doubt := faces[best].doubt:
        return Reading(len(faces), None, "no_face", f"{doubt} of the swapped frame's face")
    return Reading(len(faces), faces[best], "ok")


def _lost(sure: Sequence[Face], everyone: Sequence[Face]) -> str:
    """Why none of an original frame's faces was chosen."""
    if sure:
        return f"none of the {len(sure)} faces is the tracked one"
    return everyone[0].doubt if everyone else "no face was detected"


def _centre(face: Face) -> tuple[float, float]:
    return (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2


def _landmarks(face: Face | None) -> Vector:
    assert face is not None
    return face.landmarks


def _face(reading: Reading) -> Face:
    assert reading.face is not None
    return reading.face
