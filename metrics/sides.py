"""What the metrics read: the readings of both real sides, of the swap and, where known, of the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

READINGS = ("identity", "shape", "expression", "pose", "mouth", "eyes", "gaze")
Readings = Mapping[str, NDArray[np.floating]]


class MetricError(ValueError):
    """The readings do not fit together, or a metric was asked for that cannot be computed from them."""


@dataclass(frozen=True)
class Sides:
    """Readings of n scored frames; row i of every array belongs to the same frame.

    Args:
        swap: Reading name (one of READINGS) -> float [n, d]. A row with a NaN is "no
            reading" (no face found, or the instrument failed there).
        source: The same of the source.
        target: The same of the target.
        wanted_id: str [n], identity of the source, the one retrieval should find.
        target_id: str [n], identity of the target.
        clusters: str [n], the independent unit; in FF++ the unordered pair, for 000_003 and 003_000 share people.
        gallery: float [m, d], identity readings of real faces.
        gallery_ids: str [m], whose they are.
        gallery_exclude: int [n], the gallery row that frame i may not find (its own source frame), -1 for none.
        gallery_size: People that each frame searches, the wanted one and others by lot; None: everybody.
        gallery_seed: Of that lot.
        truth: Readings float [n, d] of the true swap, and "pixel_error" float [n] in grey levels 0..255.
        own_truth: Whether the true swap is the target itself (--self, --cycle): then no side but the source's is wrong.
        pixels: Metric of pixels -> float [n], measured where the pictures are; NaN where there is none.
        clips: str [n], the clip of each frame. Two models or takes of a clip need two names.
        frames: int [n], its number; only metrics of video need both, and they compare frames whose numbers follow
            each other.
        instruments: Reading name -> name of the instrument that read it.
        families: Reading name -> family of that instrument, which decides what is defined on one network's readings alone;
            where it is not stated, the instrument's name up to a colon.

    Raises:
        MetricError: Lengths or widths disagree.
    """

    swap: Readings
    source: Readings
    target: Readings
    wanted_id: NDArray[np.str_]
    target_id: NDArray[np.str_]
    clusters: NDArray[np.str_]
    gallery: NDArray[np.floating] | None = None
    gallery_ids: NDArray[np.str_] | None = None
    gallery_exclude: NDArray[np.integer] | None = None
    gallery_size: int | None = None
    gallery_seed: int = 0
    truth: Readings | None = None
    own_truth: bool = False
    pixels: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    clips: NDArray[np.str_] | None = None
    frames: NDArray[np.integer] | None = None
    instruments: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    # What metrics.frames.retrieval has worked out: several metrics rest on one search of the gallery.
    _ranks: dict[tuple[bool, int | None], NDArray[np.float64]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        n = len(self.wanted_id)
        columns = {
            name: getattr(self, name)
            for name in ("target_id", "clusters", "gallery_exclude", "clips", "frames")
        }
        for name, array in (
            columns | {f"pixels[{key!r}]": rows for key, rows in self.pixels.items()}
        ).items():
            if array is not None and np.shape(array) != (n,):
                raise MetricError(f"{name} has shape {np.shape(array)}; {n} frames need ({n},)")
        if (self.clips is None) != (self.frames is None):
            raise MetricError("clips and frames belong together; give both or neither")
        widths: dict[str, int] = {}
        for side in ("swap", "source", "target", "truth"):
            for name, array in (getattr(self, side) or {}).items():
                if name == "pixel_error":
                    if np.shape(array) != (n,):
                        raise MetricError(f"{side}[{name!r}] has shape {np.shape(array)}; it must be ({n},)")
                    continue
                if np.ndim(array) != 2 or len(array) != n:
                    raise MetricError(f"{side}[{name!r}] has shape {np.shape(array)}; it must be ({n}, d)")
                if widths.setdefault(name, array.shape[1]) != array.shape[1]:
                    raise MetricError(
                        f"{side}[{name!r}] has {array.shape[1]} numbers a face where another side has "
                        f"{widths[name]}; read all sides with the same instrument"
                    )
        self._check_gallery(widths.get("identity"))

    def _check_gallery(self, width: int | None) -> None:
        if (self.gallery is None) != (self.gallery_ids is None):
            raise MetricError("gallery and gallery_ids belong together; give both or neither")
        if self.gallery is None or self.gallery_ids is None:
            return
        if self.gallery.ndim != 2 or np.shape(self.gallery_ids) != (len(self.gallery),):
            raise MetricError(
                f"gallery {self.gallery.shape} and gallery_ids {np.shape(self.gallery_ids)} do not match; "
                "they must be (m, d) and (m,)"
            )
        if width is not None and self.gallery.shape[1] != width:
            raise MetricError(
                f"gallery rows have {self.gallery.shape[1]} numbers, the swaps' identity {width}; "
                "read both with the same instrument"
            )
        if self.gallery_exclude is not None and np.any(self.gallery_exclude >= len(self.gallery)):
            raise MetricError(f"gallery_exclude points past the gallery's {len(self.gallery)} rows")

    def __len__(self) -> int:
        return len(self.wanted_id)

    def family(self, reading: str) -> str:
        """The family of the instrument that read something; "" where none is named."""
        return self.families.get(reading) or self.instruments.get(reading, "").partition(":")[0]
