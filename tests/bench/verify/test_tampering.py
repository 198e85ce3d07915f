"""Every way of changing a finished run that we could think of: bench.verify names each, with the hashes put right."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.verify.__main__ import check
from bench.verify.together import across
from tests.support import made_runs

Rows = pd.DataFrame
Content = dict[str, Any]
Act = Callable[[Path], None]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four pairs of people and two models, one of which loses two faces."""
    out = tmp_path_factory.mktemp("run")
    made_runs.write(out, "copy-target", lambda s, t: t.copy(), reference=True, pairs=4)
    return made_runs.write(out, "mine", made_runs.blend(), noise=1, lost=(3, 4), pairs=4).parent


@pytest.fixture
def run(once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(once, tmp_path / "run")


def results(change: Callable[[Content], Any]) -> Act:
    return lambda run: made_runs.edit_results(run / "mine", change)


def metric(key: str, **values: Any) -> Act:
    return results(lambda c: c["metrics"][key].update(values))


def table(
    name: str, change: Callable[[Rows], Rows | None], counts: Callable[[Content], Any] | None = None
) -> Act:
    """Change a table and its hash with it; counts: changes what results.json says besides."""

    def act(run: Path) -> None:
        path = run / "mine" / name
        rows = pd.read_parquet(path)
        changed = change(rows)
        (rows if changed is None else changed).to_parquet(path, index=False)

        def rehash(content: Content) -> None:
            content["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
            if counts is not None:
                counts(content)

        made_runs.edit_results(run / "mine", rehash)

    return act


def frames(change: Callable[[Rows], Rows | None], counts: Callable[[Content], Any] | None = None) -> Act:
    return table("frames.parquet", change, counts)


def originals(change: Callable[[Rows], Rows | None]) -> Act:
    return table("../originals.parquet", change)


def fewer(n: int) -> Callable[[Content], None]:
    return lambda c: c["counts"].update(expected=c["counts"]["expected"] - n, used=c["counts"]["used"] - n)


def without_a_place(rows: Rows) -> Rows:
    """Every clip's third frame left out, and the others counted anew."""
    rows = rows[rows["position"] != 2].copy()
    rows["position"] = rows.groupby("clip").cumcount()
    return rows


def cell(rows: Rows, i: int, column: str, value: Any) -> Rows:
    rows[column] = [value if j == i else old for j, old in enumerate(rows[column])]
    return rows


def scaled(rows: Rows, column: str, factor: float, kept: Callable[[int], bool] = lambda i: True) -> Rows:
    values = [None if x is None else x * factor if kept(i) else x for i, x in enumerate(rows[column])]
    rows[column] = values
    return rows


def exchanged(rows: Rows) -> Rows:
    """The names read the other way round: the target's clip called the source's."""
    rows["target"], rows["source"] = rows["source"].copy(), rows["target"].copy()
    return rows


def another_protocol(content: Content) -> None:
    protocol = {k: v for k, v in content["run"]["protocol"].items() if k != "hash"} | {
        "source_rule": "matched"
    }
    text = json.dumps(protocol, sort_keys=True, separators=(",", ":"))
    content["run"]["protocol"] = {**protocol, "hash": hashlib.sha256(text.encode()).hexdigest()}


def narrowed(content: Content) -> None:
    one = content["metrics"]["shape"]
    one["ci95"] = [(2 * one["value"] + end) / 3 for end in one["ci95"]]


def best(rows: Rows) -> Rows:
    """The four worst frames of shape have no value."""
    worst = rows["metric/shape"].nlargest(4).index
    rows.loc[worst, "metric/shape"] = np.nan
    return rows


KINDS: dict[str, tuple[Act, str]] = {
    # frames chosen
    "a hard frame dropped": (
        frames(lambda d: d.drop(index=[9]), fewer(1)),
        "positions [0, 2, 3] are not 0 to 2",
    ),
    "a clip dropped": (
        frames(lambda d: d[d["clip"] != "002_003"], fewer(4)),
        "rows of 7 clips, the run had 8",
    ),
    "a place dropped, the rest renumbered": (frames(without_a_place, fewer(8)), "evenly spaced ones"),
    "easy frames in a row": (
        frames(lambda d: cell(cell(d, 1, "frame", 1), 2, "frame", 2)),
        "frames 0, 1, 2, 21 are not 4 evenly spaced ones",
    ),
    "a frame twice": (
        frames(lambda d: pd.concat([d, d.iloc[[0]]]), fewer(-1)),
        "1 frames have two rows",
    ),
    "rows appended unsaid": (
        frames(lambda d: pd.concat([d, d.iloc[[0]]])),
        "ledger: 33 rows, expected says 32",
    ),
    "rows removed unsaid": (frames(lambda d: d.iloc[:-1]), "ledger: 31 rows, expected says 32"),
    # the ledger
    "a failure called ok": (frames(lambda d: cell(d, 3, "status", "ok")), "31 rows are ok, used says 30"),
    "an ok frame called lost": (
        frames(lambda d: cell(d, 0, "status", "no_face")),
        "29 rows are ok, used says 30",
    ),
    "a failure renamed": (frames(lambda d: cell(d, 3, "status", "decode_error")), "failed says"),
    "an unknown status": (frames(lambda d: cell(d, 3, "status", "skipped")), "unknown status skipped"),
    "a failure without its reason": (
        frames(lambda d: cell(d, 3, "reason", "")),
        "1 failed rows have no reason",
    ),
    "a reason at an ok frame": (
        frames(lambda d: cell(d, 0, "reason", "blurred")),
        "1 rows are ok and have a reason",
    ),
    "another model's rows": (frames(lambda d: d.assign(model="yours")), "rows of another model"),
    "a frame called not posed": (
        frames(lambda d: cell(d, 0, "posed", False)),
        "posed in one of the two files",
    ),
    "two pairs of people called one": (
        frames(lambda d: d.assign(cluster=d["cluster"].replace("000+001", "002+003"))),
        "the cluster is not the pair of people in 000_001",
    ),
    "every frame its own cluster": (
        frames(lambda d: d.assign(cluster=[f"{i}" for i in range(len(d))])),
        "the cluster is not the pair of people",
    ),
    "a column of the ledger dropped": (
        frames(lambda d: d.drop(columns="reason")),
        "lacks the columns reason",
    ),
    # values and readings
    "a column of values bettered": (
        frames(lambda d: d.assign(**{"metric/identity": d["metric/identity"] + 0.01})),
        "metric identity: 30 of 32 frames do not follow from the readings",
    ),
    "one value bettered": (
        frames(lambda d: cell(d, 7, "metric/pose", 0.0)),
        "metric pose: 1 of 32 frames do not",
    ),
    "hard frames without a value": (frames(best), "metric shape: 4 of 32 frames do not follow"),
    "a lost face with a value": (
        frames(lambda d: cell(d, 3, "metric/shape", 1.0)),
        "metric shape: 1 of 32 frames",
    ),
    "a column of values dropped": (frames(lambda d: d.drop(columns="metric/shape")), "disagree on shape"),
    "a column of values invented": (
        frames(lambda d: d.assign(**{"metric/glow": 1.0})),
        "disagree on glow",
    ),
    "values of video among the frames": (
        frames(lambda d: d.assign(**{"metric/pose_flicker": 0.0})),
        "which belong to the other table",
    ),
    "readings drawn nearer": (
        frames(lambda d: scaled(d, "swap/made/pose", 0.9)),
        "metric pose: 30 of 32 frames do not follow",
    ),
    "readings of one frame": (
        frames(lambda d: scaled(d, "swap/made/identity", -1.0, lambda i: i == 6)),
        "metric identity: 1 of 32 frames do not follow",
    ),
    "readings of a lost face": (
        frames(lambda d: cell(d, 3, "swap/made/shape", d["swap/made/shape"][0])),
        "metric shape: 1 of 32 frames do not follow",
    ),
    "a reading taken away": (
        frames(lambda d: cell(d, 6, "swap/made/shape", None)),
        "metric shape: 1 of 32 frames",
    ),
    "names read the other way round": (frames(exchanged), "metric shape: "),
    "another source frame named": (
        frames(lambda d: d.assign(source_frame=7)),
        "frames do not follow from the readings",
    ),
    # the originals
    "an original's reading": (originals(lambda d: scaled(d, "original/made/shape", 1.1)), "metric shape: "),
    "an original called faceless": (
        originals(lambda d: cell(d, 0, "status", "no_face")),
        "posed in one of the two",
    ),
    "a smaller gallery": (
        originals(lambda d: d.assign(gallery=d["clip"].isin(["000", "001"]))),
        "posed in one of the two files only",
    ),
    "two people of the gallery made one": (
        originals(lambda d: d.assign(person=d["clip"].replace("001", "000"))),
        "the person of clip 001 is not who the protocol says",
    ),
    "no originals": (lambda run: (run / "originals.parquet").unlink(), "originals.parquet"),
    # results.json
    "a value": (metric("identity", value=0.99), "metric identity: value 0.99"),
    "a value a little": (results(lambda c: scale(c, "shape", "value", 0.999)), "metric shape: value"),
    "an interval narrowed": (results(narrowed), "metric shape: interval"),
    "an interval's end": (
        results(lambda c: c["metrics"]["identity"]["ci95"].__setitem__(0, 0.1)),
        "interval 0.1",
    ),
    "an interval taken away": (metric("shape", ci95=None), "metric shape: interval none"),
    "a count of readings": (metric("pose", n=32), "metric pose: n 32, recomputed 30"),
    "a count of pairs": (metric("pose", clusters=30), "metric pose: clusters 30, recomputed 4"),
    "a unit": (metric("pose", unit="degrees"), "metric pose: unit 'degrees', it is 'rad'"),
    "a direction": (metric("pose", higher_is_better=True), "metric pose: higher_is_better is True"),
    "a range": (metric("pose", range=[0, 9]), "metric pose: range"),
    "a version to come": (metric("shape", version=9), "metric shape: version 9, this verifier knows up to 1"),
    "an older version": (metric("pose", version=1), "metric pose: "),
    "a version in words": (metric("shape", version="mine"), "metric shape: version 'mine'"),
    "an instrument": (metric("shape", instrument="other"), "instrument 'other' is none of the run's"),
    "a column that must not rank made one that does": (
        metric("shape_r", unranked=None),
        "stated to rank models",
    ),
    "a policy": (metric("id_retrieval", missing_policy="exclude"), "policy exclude, by the protocol count"),
    "the lost faces": (metric("shape", missing=0), "metric shape: missing 0, recomputed 2"),
    "the value without lost faces": (
        results(lambda c: scale(c["metrics"]["id_retrieval"], None, "excluding_missing", 0.5)),
        "id_retrieval, excluding missing: value",
    ),
    "the value with lost faces": (
        results(lambda c: scale(c["metrics"]["shape"], None, "counting_missing", 0.5)),
        "shape, counting missing: value",
    ),
    "a metric left out": (results(lambda c: c["metrics"].pop("shape_r")), "disagree on shape_r"),
    "a metric invented": (
        results(lambda c: c["metrics"].update(glow=c["metrics"]["shape"])),
        "disagree on glow",
    ),
    "expected frames": (
        results(lambda c: c["counts"].update(expected=31, used=29)),
        "ledger: 32 rows, expected says 31",
    ),
    "counts that do not add up": (results(lambda c: c["counts"].update(used=31)), "schema: "),
    "the reasons of failures": (
        results(lambda c: c["counts"].update(failed={"decode_error": 2})),
        "failed says",
    ),
    "a rule of the protocol": (
        results(lambda c: c["run"]["protocol"].update(missing="exclude")),
        "the protocol's fields give",
    ),
    "a rule with its hash": (results(another_protocol), "run: protocol of mine and copy-target differ"),
    "the seed": (results(lambda c: c["run"].update(seed=5)), "run.seed 5 is not the protocol's 0"),
    "the model's name": (results(lambda c: c["run"]["model"].update(name="yours")), "results are of yours"),
    "other data": (
        results(lambda c: c["run"]["data"].update(manifest_sha256="2" * 64)),
        "run: data of mine and copy-target differ",
    ),
    "other instruments": (
        results(lambda c: c["run"]["instruments"][0].update(weights_sha256="2" * 64)),
        "run: instruments of mine and copy-target differ",
    ),
    "a schema to come": (results(lambda c: c.update(schema_version=9)), "schema: "),
    "a file's hash": (
        results(lambda c: c["files"].update({"frames.parquet": "2" * 64})),
        "hash: frames.parquet is",
    ),
    "the hash of the frames left out": (
        results(lambda c: c["files"].pop("frames.parquet")),
        "hash: results.json holds hashes, and none of frames.parquet",
    ),
    "a hash of no file": (
        results(lambda c: c["files"].update({"cases.bin": "2" * 64})),
        "hash: cases.bin is not there",
    ),
    # files
    "frames cut off": (
        lambda run: (run / "mine" / "frames.parquet").write_bytes(b"PAR1 cut"),  # type: ignore[dict-item]
        "files: cannot read",
    ),
    "no results": (lambda run: (run / "mine" / "results.json").unlink(), "the run did not finish"),
    "another model's folder": (
        lambda run: shutil.copy(run / "copy-target" / "frames.parquet", run / "mine"),  # type: ignore[dict-item]
        "rows of another model",
    ),
}


def scale(content: Content, key: str | None, name: str, factor: float) -> None:
    """A number of a metric, or the value of one of its two policies, times a factor."""
    part = content["metrics"][key] if key else content[name]
    field = name if key else "value"
    part[field] *= factor


def found(run: Path) -> list[str]:
    folders = sorted(path for path in run.iterdir() if path.is_dir())
    return [*check(run / "mine").violations, *across(folders)]


def test_the_run_itself_is_sound_and_there_are_forty_kinds(run: Path) -> None:
    assert found(run) == []
    assert check(run / "copy-target").violations == []
    assert len(KINDS) >= 40


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_named(run: Path, kind: str) -> None:
    act, said = KINDS[kind]
    act(run)
    violations = found(run)
    assert any(said in violation for violation in violations), violations
