"""The protocol: every choice that changes a number, in one frozen, hashed record.

What does not change a number (device, batch size, number of workers, output folder) is not in it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

Compression = Literal["raw", "c23", "c40", "as_is"]
COMPRESSIONS: tuple[str, ...] = ("raw", "c0", "c23", "c40")  # what a user may write; c0 is raw
SPLITS = ("train", "val", "test", "all")


class Protocol(BaseModel):
    """The rules of one run. Defaults are those of the test split; bench.ffpp.presets has the field's by name.

    The frame rule is fixed: `frames` frames, evenly spaced over the frames that decode, both ends included; metrics of
    video alone read `video` others.
    The swap-face rule is fixed too: in a swapped frame, the detected face whose box centre is nearest to the
    centre of the target's face in the same frame; farther than one box side away counts as no face.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1, 2] = Field(
        default=2,
        description="grows when the same fields come to mean something else (2: faces are followed over cuts)",
    )
    mode: Literal["swap", "self", "cycle"] = Field(
        default="swap",
        description="swap: the source's face into the target; self: the source is another photo of the target's own "
        "person, so that the true swap is the target; cycle: swap, then swap the swap back with another photo of the "
        "target's person, so that the true answer is the target. This rule and the next two are left out of the record and "
        "its hash where they change nothing",
    )
    other_photo: Literal["next_clip_or_farthest_frame"] = Field(
        default="next_clip_or_farthest_frame",
        description="of self and cycle: the person's next other clip by name, going round, and of it the frame by the "
        "source rule; where no other clip is known, of the frames that are scored of the target's own clip the one with a "
        "face that is farthest in time, of two the earlier",
    )
    between: Literal["jpeg_75"] = Field(
        default="jpeg_75",
        description="of cycle: a swap goes back into the model as a JPEG of quality 75, so that what a network hides in "
        "small differences of grey does not come along",
    )
    sequences: Literal["youtube", "actors", "other"] = Field(
        default="youtube",
        description="youtube: FF++ pairs of a split; actors: the DeepFakeDetection clips; other: data of another kind",
    )
    compression: Compression = Field(
        default="c23",
        description="raw (also called c0: lossless), c23 (hq) or c40 (lq); as_is: data of another kind",
    )
    split: str = Field(
        default="test",
        min_length=1,
        max_length=100,
        description="the official split whose pairs are scored, both directions of each: train, val, test or all",
    )
    limit: int | None = Field(default=None, ge=1, description="the first clips of the split, in its order")
    frames: int = Field(default=10, ge=1, description="frames scored in each clip")
    frame_rule: Literal["even"] = Field(
        default="even", description="evenly spaced over the frames that decode, both ends included"
    )
    video: int = Field(
        default=0, ge=0,
        description="frames that follow each other, at the middle of each clip, read besides for the metrics of video "
        "(0: none); the other rules hold for them too, the source frame being chosen among the source clip's such frames",
    )  # fmt: skip
    source_rule: Literal["first_valid", "matched", "frontal"] = Field(
        default="first_valid",
        description="first_valid: the first of the source clip's frames with a face, for every target frame; "
        "matched: the frame at the same position in the source clip, or first_valid where it has no face; "
        "frontal: of the source clip's frames with a face the one whose landmarks are nearest to their mirror image, the "
        "first of equals",
    )
    faces_rule: Literal["largest_tracked", "largest", "single"] = Field(
        default="largest_tracked",
        description="which face of an original frame: the largest of the clip, followed from frame to frame by overlap and "
        "over cuts by SFace (cosine 0.3 to a face taken before; another person is no face); the largest of each "
        "frame; or single: a frame with several faces is a failed row (many_faces)",
    )
    swap_face_rule: Literal["nearest"] = Field(
        default="nearest",
        description="of a swapped frame's faces the one whose box centre is nearest to that of the target's face; "
        "farther than one box side away counts as no face",
    )
    missing: Literal["count_as_wrong", "exclude", "count_everywhere"] = Field(
        default="count_as_wrong",
        description="what a swap without a face does: a miss in ID retrieval, the target itself where leaving it is "
        "measured, and left out of distances; left out of every metric; "
        "or counted in every metric as a swap that shows the unwanted person. Frames whose "
        "originals have no face are in the ledger only",
    )
    gallery: Literal["all", "without_source_frame"] = Field(
        default="all",
        description="rows among which ID retrieval searches: every readable frame of every source clip of "
        "the run; or the same without the frames that the models were shown",
    )
    gallery_size: int | None = Field(
        default=None, ge=2,
        description="people among whom each frame is searched: the wanted one and so many less one others, the first in "
        "the order of the SHA-256 of seed and name, so that a smaller gallery is a part of every larger one (none: "
        "everybody). Left out of the record and its hash where there is none",
    )  # fmt: skip
    missing_clips: Literal["error", "ledger"] = Field(
        default="error", description="clips that are not on the disk stop the run, or become ledger rows"
    )
    identity_map: dict[str, str] = Field(
        default_factory=dict,
        description='people who appear twice: {"343": "043"} makes 343 count as 043. FaceForensics++ '
        "has the map that ships with this package, where nothing else is asked for",
    )
    interval: Literal["t_studentised_hall"] = Field(
        default="t_studentised_hall",
        description="95 %, over pairs of people: Student's t joined with the studentised bootstrap; for shares and "
        "fewer than 10 pairs with Hall's transformed t",
    )
    seed: int = Field(default=0, ge=0, description="seed of the bootstrap, and of a smaller gallery")

    @field_validator("compression", mode="before")
    @classmethod
    def _c0_is_raw(cls, value: object) -> object:
        return "raw" if value == "c0" else value

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the rules of later releases where they change nothing, so that older hashes hold."""
        stated: dict[str, Any] = dump(self)
        idle = set() if self.gallery_size else {"gallery_size"}
        idle |= {"swap": {"mode", "other_photo", "between"}, "self": {"between"}, "cycle": set()}[self.mode]
        return {rule: value for rule, value in stated.items() if rule not in idle}

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of the canonical JSON of every field, equal for equal rules."""
        return _sha256(self.model_dump(mode="json"))

    @property
    def identity_map_hash(self) -> str | None:
        """The same of the identity map alone; None where it is empty."""
        return _sha256(self.identity_map) if self.identity_map else None


def _sha256(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
