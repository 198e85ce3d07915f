"""The part of bench.verify for swaps whose source's clip is not there: which they may be, and what is read of them.

Such rows are `not_available`, stand in no value, and what needs no source stands beside it. So the rule to hold is twofold:
nobody calls a frame so whose source is there, and of a clip that is read so no frame is left out.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from bench.errors import few
from bench.verify import meaning, pictures, recount
from bench.verify.checks import CLOSE, Checked, check_distance, check_summary, follows, limits_of
from bench.verify.ledger import STATUSES
from reports.results import SOURCE_FREE, MetricValue, Results

COLUMNS = ("sourceless_status", "sourceless_reason")


def check_sourceless(
    found: Checked, tables: recount.Tables, video: recount.Tables | None, results: Results
) -> None:
    """Check the rows without a source, and every metric that is read of them.

    Args:
        found: Gets the violations.
        tables: Of the protocol's frames.
        video: Of frames in a row; None for a run without them.
        results: What is checked.
    """
    _rows(found, tables, results, "ledger")
    status = Counter(tables.frames["sourceless_status"][tables.sourceless]) if tables.sourceless.any() else {}
    said = results.sourceless
    stated = None if said is None else {"ok": said.used, **said.failed}
    real = dict(status) | {"ok": status.get("ok", 0)} if status else None
    found.expect(stated == real, f"sourceless: results.json counts {stated}, the rows are {real}")
    if video is not None:
        _rows(found, video, results, "video")
    for key, metric in results.metrics.items():
        name = key.split("@")[0]
        if name in meaning.MEANING or key in pictures.SETS:
            needs = not (name in meaning.SOURCE_FREE or key in pictures.SETS)
            found.expect(metric.needs_source is needs, f"metric {key}: needs_source is {metric.needs_source}")
        part = video if name in meaning.VIDEO else tables
        if part is None:
            continue
        wanted = bool(part.sourceless.any()) and not metric.needs_source
        if (metric.without_source is not None) != wanted:
            found.violations.append(
                f"metric {key}: {'lacks' if wanted else 'has'} a value with the frames without a source"
            )
        elif wanted and key in pictures.SETS:
            _pictures(found, part, key, metric)
        elif wanted:
            _metric(found, part, key, metric)


def _rows(found: Checked, tables: recount.Tables, results: Results, what: str) -> None:
    """What holds of the rows of either table."""
    frames = tables.frames
    here = [name for name in COLUMNS if name in frames]
    values = {str(column).split("/")[1] for column in frames if str(column).startswith("without_source")}
    if not here:
        found.expect(
            not values, f"{what}: values without a source of {few(sorted(values))}, and no such rows"
        )
        return
    if len(here) < len(COLUMNS):
        found.violations.append(f"{what}: {here[0]} stands alone")
        return
    named = frames["sourceless_status"].notna().to_numpy(bool)
    clips = frames["clip"].to_numpy(str)

    def expect(wrong: np.ndarray, said: str) -> None:
        found.expect(not wrong.any(), f"{what}: {said} in {few(sorted(set(clips[wrong])))}")

    expect(named & ~tables.sourceless, "rows are said to lack their source alone and are not not_available")
    there = frames["source"].isin(set(tables.originals["clip"])).to_numpy(bool)
    expect(tables.sourceless & there, "a source is said not to be there, whose clip was read,")
    expect(tables.sourceless & ~(tables.faces | tables.unknown), "swaps are read whose target has no face")
    left_out = tables.faces & ~tables.sourceless & np.isin(clips, clips[tables.sourceless])
    expect(left_out, "frames are left out of clips that are read without their source")
    status = frames["sourceless_status"].to_numpy(object)
    known = np.isin(status, [one for one in STATUSES if one != "not_available"])
    expect(tables.sourceless & ~known, "the status of a swap without its source is unknown")
    reason = (frames["sourceless_reason"].fillna("") != "").to_numpy(bool)
    expect(
        tables.sourceless & ((status == "ok") == reason),
        "a swap without its source is ok and has a reason, or neither,",
    )
    model = results.run.model
    called = model.model_dump().get("kind", "finished") != "finished" and model.name not in SOURCE_FREE
    found.expect(
        not (called and named.any()),
        f"{what}: {model.name} has to be shown the source, and swapped without it",
    )


def _metric(found: Checked, tables: recount.Tables, key: str, said: MetricValue) -> None:
    """One metric over the posed frames and those without a source."""
    frames, name, what = tables.frames, key.split("@")[0], f"metric {key}, without source"
    own, beside = f"metric/{key}", f"without_source/{key}"
    if beside not in frames or own not in frames:
        found.violations.append(f"{what}: the table lacks {beside if own in frames else own}")
        return
    read = tables.sourceless
    stored = frames[beside].to_numpy(np.float64)
    outside = int((np.isfinite(stored) & ~read).sum())
    found.expect(not outside, f"{what}: {outside} values in other frames")
    version = said.version if said.version in meaning.VERSIONS.get(name, (1,)) else None
    again = costs = None
    if version is not None:
        again = recount.per_frame(tables, key, said.instrument, version)
        costs = recount.if_lost(tables, key, said.instrument, version)
    if again is not None:
        taken = (
            tables.unknown if name not in meaning.VIDEO else tables.unknown | tables.unknown[tables.before]
        )
        again = [np.where(taken, stored, np.where(read, one, np.nan)) for one in again]
        stored = follows(found, what, tables, stored, again)
    lost = read & ~np.isfinite(stored)
    told = frames[f"without_source_missing/{key}"].to_numpy(np.float64)
    if costs is not None and not (tables.unknown & lost).any():
        same = np.isclose(told, np.where(lost, costs, np.nan), rtol=CLOSE, atol=CLOSE, equal_nan=True)
        found.expect(
            bool(same.all()), f"{what}: what missing faces count as does not follow from the readings"
        )
    values = np.where(tables.posed, frames[own].to_numpy(np.float64), stored)
    asked = tables.posed | read
    if name in meaning.VIDEO:
        asked &= tables.before >= 0
    missing = int((asked & ~np.isfinite(values)).sum())
    part = said.without_source
    assert part is not None
    if name in meaning.MEANING:
        found.expect(part.missing == missing, f"{what}: missing {part.missing}, recomputed {missing}")
    if said.missing_policy == "count_as_wrong":
        filled = np.where(tables.posed, frames[f"missing/{key}"].to_numpy(np.float64), told)
        values = np.where(np.isnan(values), filled, values)
    limits, bounds = limits_of(Checked(found.name), key, said)
    check_summary(found, what, part, values, frames["cluster"].to_numpy(str), bounds, limits)


def _pictures(found: Checked, tables: recount.Tables, key: str, said: MetricValue) -> None:
    """A distance between sets, likewise."""
    column = pictures.SETS[key].get(said.version, "")
    swap, target = tables.pictures(column)
    asked = tables.posed | tables.sourceless
    if swap is None or target is None or (tables.unknown & asked).any():
        return  # said of its value already
    there = asked & np.isfinite(swap).all(axis=1) & np.isfinite(target).all(axis=1)
    seen = pictures.found(tables.frames) | (tables.frames["sourceless_status"] == "ok").to_numpy(bool)
    kept = there if said.missing_policy == "count_as_wrong" else there & seen
    part, what = said.without_source, f"metric {key}, without source"
    assert part is not None
    lost = int((there & ~seen).sum())
    found.expect(part.missing == lost, f"{what}: missing {part.missing}, recomputed {lost}")
    clusters = tables.frames["cluster"].to_numpy(str)[kept]
    check_distance(found, what, part, key, (swap[kept], target[kept]), clusters)
