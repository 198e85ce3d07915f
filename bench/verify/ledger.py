"""The ledger part of bench.verify: rows against counts, people, and the rule by which frames are chosen."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd

from bench.errors import few
from bench.verify import recount
from bench.verify.checks import Checked
from reports.results import Results

STATUSES = ("ok", "no_face", "many_faces", "decode_error", "model_error", "not_available")


def check_ledger(found: Checked, frames: pd.DataFrame, results: Results) -> None:
    """The counts against the rows, what holds of every row, and the choice of frames.

    Args:
        found: Gets the violations and notes.
        frames: One row a frame, as frames.parquet holds them.
        results: What is checked.
    """
    counts, status = results.counts, Counter(frames["status"])
    used = status.pop("ok", 0)
    found.expect(
        len(frames) == counts.expected, f"ledger: {len(frames)} rows, expected says {counts.expected}"
    )
    found.expect(used == counts.used, f"ledger: {used} rows are ok, used says {counts.used}")
    failed = {name: n for name, n in counts.failed.items() if n}
    found.expect(dict(status) == failed, f"ledger: failed rows {dict(status)}, failed says {failed}")
    found.expect(
        counts.expected == counts.used + sum(failed.values()), "ledger: expected is not used + failed"
    )
    check_rows(found, frames, results, "ledger")
    _frame_rule(found, frames, results)


def check_rows(found: Checked, frames: pd.DataFrame, results: Results, what: str) -> None:
    """What holds of the rows of either table.

    Args:
        found: Gets the violations.
        frames: One row a frame.
        results: What is checked.
        what: "ledger", or "video" for frames in a row.
    """
    strange = sorted(set(frames["status"]) - set(STATUSES))
    found.expect(not strange, f"{what}: unknown status {few(strange)}")
    numbered = frames[frames["frame"] >= 0]  # the others are those that a short clip does not have
    absent = (numbered["status"] == "not_available").groupby(numbered["clip"]).mean()
    part = sorted(absent[(absent > 0) & (absent < 1)].index)
    found.expect(not part, f"{what}: clips are there or not available as a whole, but not {few(part)}")
    ok = frames["status"] == "ok"
    reasons = frames["reason"].fillna("") != ""
    found.expect(
        not (ok & reasons).any(), f"{what}: {int((ok & reasons).sum())} rows are ok and have a reason"
    )
    silent = ~ok & ~reasons
    found.expect(not silent.any(), f"{what}: {int(silent.sum())} failed rows have no reason")
    twice = frames.duplicated(["clip", "position"])
    found.expect(not twice.any(), f"{what}: {int(twice.sum())} frames have two rows")
    found.expect(set(frames["model"]) == {results.run.model.name}, f"{what}: rows of another model")
    protocol = results.run.protocol.model_dump(mode="json")
    pairs = frames[["clip", "target", "source", "cluster"]].drop_duplicates()
    # A data set of another kind has its own way of telling people: what the run stored of them is all there is.
    if results.run.data.model_dump().get("kind", "ffpp") == "ffpp":
        pairs["people"] = [
            "+".join(sorted(recount.person(protocol, clip) for clip in clips))
            for clips in zip(pairs["target"], pairs["source"], strict=True)
        ]
    else:
        people = frames.loc[pairs.index, ["target_person", "source_person"]]
        pairs["people"] = ["+".join(sorted(map(str, two))) for two in people.itertuples(index=False)]
    wrong = pairs.loc[pairs["cluster"] != pairs["people"], "clip"]
    found.expect(wrong.empty, f"{what}: the cluster is not the pair of people in {few(wrong)}")


def check_people(found: Checked, tables: recount.Tables, results: Results) -> None:
    """Whose faces are shown: by the protocol's identity map, where the data set is told apart by it; and how compressed.

    Args:
        found: Gets the violations.
        tables: Of one model.
        results: What is checked.
    """
    if results.run.data.model_dump().get("kind", "ffpp") == "ffpp":
        originals, frames = tables.originals, tables.frames
        said = list(zip(originals["clip"], originals["person"], strict=True)) if "person" in originals else []
        for side in ("target", "source"):
            if f"{side}_person" in frames:
                said += zip(frames[side], frames[f"{side}_person"], strict=True)
        wrong = [clip for clip, who in dict.fromkeys(said) if who != recount.person(tables.protocol, clip)]
        found.expect(not wrong, f"ledger: the person of clip {few(wrong)} is not who the protocol says")
    if "compression" in tables.originals and "compression" in tables.frames:
        here, there = (set(table["compression"]) for table in (tables.frames, tables.originals))
        found.expect(
            here == there,
            f"ledger: rows of compression {few(sorted(map(str, here)))}, originals of {few(sorted(map(str, there)))}",
        )


def check_posed(found: Checked, tables: recount.Tables, what: str = "ledger") -> None:
    """In which frames there was something to swap, by the stored originals.

    Args:
        found: Gets the violations and notes.
        tables: Of one model; `posed` is completed where nothing can be worked out.
        what: "ledger", or "video" for frames in a row.
    """
    if tables.unknown.any():
        found.notes.append(
            f"{int(tables.unknown.sum())} frames of a shorter clip have their target's readings nowhere in the "
            "files; their stored values are taken as they are"
        )
        if "posed" in tables.frames:
            tables.posed |= tables.unknown & tables.frames["posed"].to_numpy(bool)
        else:
            tables.posed |= tables.unknown & (tables.frames["status"] == "ok").to_numpy(bool)
    if "posed" in tables.frames:
        differ = int((tables.posed != tables.frames["posed"].to_numpy(bool)).sum())
        found.expect(not differ, f"{what}: {differ} frames are posed in one of the two files only")
    unread = (tables.frames["status"] == "ok").to_numpy(bool) & ~tables.posed
    found.expect(not unread.any(), f"{what}: {int(unread.sum())} ok rows have no face in an original")


def _frame_rule(found: Checked, frames: pd.DataFrame, results: Results) -> None:
    """Each clip: as many rows as the protocol asks, evenly spaced, both ends in."""
    k = getattr(results.run.protocol, "frames", None)
    if not isinstance(k, int):
        found.notes.append("the protocol does not say how many frames a clip has: frame rule not checked")
        return
    clips = frames.groupby("clip", sort=False)
    data = results.run.data.model_dump()
    if isinstance(data.get("clips"), int):
        found.expect(
            len(clips) == data["clips"], f"ledger: rows of {len(clips)} clips, the run had {data['clips']}"
        )
    for clip, rows in clips:
        numbers, places = rows["frame"].tolist(), rows["position"].tolist()
        known = [number for number in numbers if number >= 0]
        there = rows["there"].tolist() if "there" in rows else [0]
        if places != list(range(len(places))):
            found.violations.append(f"ledger: clip {clip}: positions {places} are not 0 to {len(places) - 1}")
        elif all(number == -1 for number in numbers):
            found.expect(
                len(numbers) == k, f"ledger: clip {clip}: {len(numbers)} rows of {k} for an unreadable clip"
            )
        elif -1 in numbers and not _short(rows, k):
            found.violations.append(
                f"ledger: clip {clip}: rows without a frame's number are not the last of {k}"
            )
        elif len(set(there)) > 1 or not _chosen(known, k, there[0]):
            found.violations.append(
                f"ledger: clip {clip}: frames {few(map(str, known))} are not {k} evenly spaced ones of "
                f"{f'the {there[0]} that were there' if there[0] else f'0 to {known[-1]}'}: rows were left out"
            )


def _short(rows: pd.DataFrame, k: int) -> bool:
    """Whether the rows without a number are those that a short clip lacks: the last of k, and not available."""
    without = (rows["frame"] < 0).to_numpy(bool)
    lacking = rows.loc[without, "status"] == "not_available"
    return len(rows) == k and bool(lacking.all()) and not (~without[int(np.argmax(without)) :]).any()


def _chosen(numbers: list[int], k: int, there: int) -> bool:
    """Whether a clip's frames can be k evenly spaced ones.

    there: how many there were to choose from, of a folder of frames that has gaps fewer than their numbers say. Where it is
    not known (0: older runs), a folder may still hold every so many-th frame.
    """
    if there:
        steps, places = np.diff(numbers), _even(there, k)
        if len(places) != len(numbers) or numbers[0] < 0:
            return False
        return bool((steps >= np.diff(places)).all())
    if k < 2 or len(numbers) < 2:
        return len(numbers) == 1
    step = int(np.gcd.reduce(np.diff(numbers)))
    known = [number // step for number in numbers]
    return step > 0 and numbers[0] < step and known == _even(known[-1] + 1, k)


def _even(count: int, k: int) -> list[int]:
    if k >= count:
        return list(range(count))
    if k == 1:
        return [(count - 1) // 2]
    return [round(Fraction(i * (count - 1), k - 1)) for i in range(k)]
