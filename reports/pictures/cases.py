"""The cases of a page: best, median and worst frames by any metric, the default metric's in sight, the rest in store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.pictures.encoding import ENCODINGS, Encoded, Shown, encode
from reports.pictures.store import CASES, Picture
from reports.table import Table

BUDGET = 1_500_000  # bytes of all data: URIs; with the clips' strips and the plots a page stays under 3 MB
MOST = 600  # frames on one page
PREFERRED = ("identity", "expression", "truth_pixel", "pose", "shape")
"""Metrics that keep their pictures longest where a page has not room for all; the first is shown at first."""


@dataclass(frozen=True)
class Strip:
    """One frame of one model. by: metric -> (case, number in words); of "" for a frame that is always shown."""

    picture: Picture
    by: dict[str, tuple[str, str]]
    parts: list[tuple[str, Shown]]
    shown: bool

    @property
    def case(self) -> tuple[str, str]:
        """(case, number in words) at first: by the default metric where that chose it."""
        return self.by.get("") or self.by.get(self.picture.metric) or next(iter(self.by.values()))


@dataclass(frozen=True)
class Cases:
    """What the page shows. grid: strips by model; choosers: (metric, title); first: the default metric.

    stored: picture number -> data: URI, of those that only a chosen metric brings up; storage: how, in words.
    """

    grid: list[tuple[str, list[Strip]]]
    choosers: list[tuple[str, str]]
    first: str
    stored: dict[int, str]
    storage: str

    @property
    def first_label(self) -> str:
        """The title of the default metric."""
        return dict(self.choosers)[self.first]


def arrange(pictures: Sequence[Picture], table: Table, budget: int = BUDGET) -> Cases:
    """Cases of single frames, by model in the table's order, each different frame and picture once.

    Args:
        pictures: Chosen frames of all models.
        table: The rows and columns.
        budget: Bytes that all pictures may take.

    Returns:
        What the page shows, by the best encoding that fits the budget.
    """
    found = [picture for picture in pictures if picture.scope == "frame"]
    choosers = _choosers(found, table)
    keys = [key for key, _ in choosers]
    first = next((key for key in PREFERRED if key in keys), keys[0] if keys else "")
    ranked = sorted(keys, key=lambda key: PREFERRED.index(key) if key in PREFERRED else len(PREFERRED))
    kept = len(ranked)
    while True:
        merged = _merged(found, {"", *ranked[:kept]}, first)
        left, merged = len(merged) - MOST, merged[:MOST]
        last = kept <= 1
        made = _encoded(merged, first, budget) or (_encoded(merged, first, None) if last else None)
        if made is not None:
            break
        kept //= 2
    strips = [
        Strip(p, by, [(name, made.add(image)) for name, image in p.parts], _shown(by, first))
        for p, by in merged
    ]
    inline = {shown.number for strip in strips if strip.shown for _, shown in strip.parts}
    stored = {s.number: s.uri for strip in strips for _, s in strip.parts if s.number not in inline}
    storage = str(made.encoding)
    if kept < len(ranked):
        storage += f"; of {len(ranked)} metrics {kept} have pictures, for want of room"
    if left > 0:
        storage += f"; {left} further cases are left out"
    return Cases(
        _by_model(strips, table), [one for one in choosers if one[0] in ranked[:kept]], first, stored, storage
    )


def _merged(
    pictures: list[Picture], keys: set[str], first: str
) -> list[tuple[Picture, dict[str, tuple[str, str]]]]:
    """A frame that several metrics chose once, with all of them; those in sight at first come first."""
    merged: list[tuple[Picture, dict[str, tuple[str, str]]]] = []
    at: dict[tuple[str, str, int], list[int]] = {}
    for picture in sorted(
        (p for p in pictures if p.metric in keys), key=lambda p: p.metric not in ("", first)
    ):
        places = at.setdefault((picture.model, picture.clip, picture.frame), [])
        free = [
            i
            for i in places
            if picture.metric and "" not in merged[i][1] and picture.metric not in merged[i][1]
        ]
        if not free:
            places.append(len(merged))
            merged.append((picture, {}))
        by = merged[free[0] if free else -1][1]
        by[picture.metric] = (picture.case, picture.metric_text)
    return merged


def _encoded(
    merged: Sequence[tuple[Picture, dict[str, tuple[str, str]]]], first: str, budget: int | None
) -> Encoded | None:
    inline = [image for p, by in merged if _shown(by, first) for _, image in p.parts]
    stored = [image for p, by in merged if not _shown(by, first) for _, image in p.parts]
    if budget is None:
        return encode(inline, stored, 1 << 40, ENCODINGS[-1:])
    return encode(inline, stored, budget)


def _shown(by: dict[str, tuple[str, str]], first: str) -> bool:
    return "" in by or first in by


def _choosers(pictures: list[Picture], table: Table) -> list[tuple[str, str]]:
    """(key, title) of the metrics that chose pictures, in the order of the table's columns."""
    found = dict.fromkeys((p.metric, p.label) for p in pictures if p.metric)
    order = {column.key: i for i, column in enumerate(table.columns)}
    return sorted(found, key=lambda one: order.get(one[0], len(order)))


def _by_model(strips: list[Strip], table: Table) -> list[tuple[str, list[Strip]]]:
    """Models in the table's order, the ends of the scale after them; best before worst, drawn by lot last."""
    order = [row.run.name for row in sorted(table.rows, key=lambda row: bool(row.end))]
    names = dict.fromkeys([*order, *(strip.picture.model for strip in strips)])
    grid = [
        (
            name,
            sorted(
                (s for s in strips if s.picture.model == name),
                key=lambda s: (not s.shown, CASES.index(s.case[0])),
            ),
        )
        for name in names
    ]
    return [(name, found) for name, found in grid if found]
