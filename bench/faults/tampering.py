"""Every way of changing a finished run that we could think of, by kind: bench.verify has to name all but the harmless ones.

Two states of each are tried: the hashes left alone, and put right as somebody would who knows of them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow.parquet as pq

from bench.faults.tampered import (
    Act,
    Content,
    Rows,
    Run,
    another,
    but,
    cells,
    column,
    drop,
    first_ok,
    kept,
    narrowed,
    put,
    scaled,
    times,
    together,
)

F, V, O, P = "frames.parquet", "video.parquet", "../originals.parquet", "pictures.parquet"


@dataclass(frozen=True)
class TamperFault:
    """One kind of change.

    Args:
        name: Of the kind.
        act: Makes it.
        harmless: Why nothing that is printed or compared changes by it, or why nothing in the folder can tell; "" where the
            verifier has to name it.
        fits: Whether a run has what is changed.
    """

    name: str
    act: Act
    harmless: str = ""
    fits: Callable[[Run], bool] = lambda run: True

    def inject(self, run: Run, mended: bool) -> None:
        """Change the run.

        Args:
            run: Is changed.
            mended: Whether the hashes are put right afterwards.
        """
        self.act(run)
        if mended:
            run.mend()


def _has(*names: str) -> Callable[[Run], bool]:
    return lambda run: all((run.folder / run.model / name).exists() for name in names)


def _metric(key: str, **values: object) -> Act:
    return together(*(put("metrics", key, name, value=value) for name, value in values.items()))


def _fewer(n: int) -> Act:
    return together(
        put("counts", "expected", value=lambda old: old - n), put("counts", "used", value=lambda old: old - n)
    )


def _frames(rows: Callable[[Rows], list[int]], n: int) -> Act:
    return together(kept(F, rows), _fewer(n))


def _first_clip_gone(table: Rows) -> list[int]:
    return [i for i, clip in enumerate(table["clip"]) if clip != table["clip"][0]]


def _clip_rows(run: Run) -> int:
    clips = pq.read_table(run.folder / run.model / F, columns=["clip"])["clip"].to_pylist()
    return clips.count(clips[0])


def _clip_gone(run: Run) -> None:
    n = _clip_rows(run)
    together(_frames(_first_clip_gone, n), put("run", "data", "clips", value=lambda old: old - 1))(run)


def _exchanged(table: Rows) -> None:
    table["target"], table["source"] = table["source"], table["target"]


def _removed(name: str) -> Act:
    return lambda run: (run.folder / run.model / name).unlink()


def _model_gone(run: Run) -> None:
    shutil.rmtree(run.folder / run.others[0])


def _reference_gone(run: Run) -> None:
    names = [name for name in run.others if name in ("copy-source", "copy-target", "oracle")]
    shutil.rmtree(run.folder / names[-1])


def _model_twice(run: Run) -> None:
    shutil.copytree(run.folder / run.model, run.folder / f"{run.model}-2")
    run.results(put_name(f"{run.model}-2"), f"{run.model}-2")


def put_name(name: str) -> Callable[[Content], None]:
    """A change of the model's name in its results."""

    def change(content: Content) -> None:
        content["run"]["model"]["name"] = name

    return change


def _page(change: Callable[[str], str]) -> Act:
    def act(run: Run) -> None:
        path = run.folder / "report.html"
        path.write_text(change(path.read_text()))

    return act


def _better_page(text: str) -> str:
    """A number of the table made another one."""
    at = text.index("<td", text.index("<tbody"))
    digit = next(i for i in range(text.index(">", at), len(text)) if text[i].isdigit())
    return text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :]


def _foreign_page(run: Run) -> None:
    """The page of the run as it was before its numbers changed: of other results of the same names."""
    from reports.folders import gather
    from reports.html import render

    path = run.folder / run.model / "results.json"
    kept_as = path.read_bytes()
    _metric("identity", value=scaled(0.99))(run)
    runs, pictures = gather([run.folder / run.model])
    (run.folder / "report.html").write_text(render(runs, pictures))
    path.write_bytes(kept_as)


def _all_models(change: Act) -> Act:
    """The same change in every results.json of the run."""

    def act(run: Run) -> None:
        for model in (run.model, *run.others):
            change(Run(run.folder, model))

    return act


_R = ("run",)
RESULTS = (
    # what was measured
    TamperFault("a value", _metric("identity", value=scaled(0.99))),
    TamperFault("a value by a hundred thousandth", _metric("identity", value=scaled(1.00001))),
    TamperFault("a value taken away", _metric("identity", value=None)),
    TamperFault("an interval", _metric("identity", ci95=narrowed)),
    TamperFault("an interval moved", _metric("shape@anny", ci95=times(1.02)), fits=lambda run: "shape@anny" in _keys(run)),
    TamperFault("an interval taken away", _metric("identity", ci95=None)),
    TamperFault("an interval near zero", lambda run: _near_zero(run)),
    TamperFault("an interval of nothing", lambda run: _invented_interval(run)),
    TamperFault("how many frames", _metric("identity", n=lambda old: old + 1)),
    TamperFault("how many pairs of people", _metric("identity", clusters=1)),
    TamperFault("a unit", _metric("identity", unit="%")),
    TamperFault("a direction", _metric("identity", higher_is_better=False)),
    TamperFault("an instrument", _metric("identity", instrument="other")),
    TamperFault("another of the run's instruments", lambda run: _other_instrument(run)),
    TamperFault("no instrument", _metric("identity", instrument=None)),
    TamperFault("a version to come", _metric("identity", version=9)),
    TamperFault("a version in words", _metric("identity", version="mine")),
    TamperFault("an older version", _metric("pose", version=1), fits=lambda run: "pose" in _keys(run)),
    TamperFault("how many are missing", _metric("identity", missing=3)),
    TamperFault("missing left out", _metric("identity", missing=None)),
    TamperFault("a policy", _metric("id_retrieval", missing_policy="exclude")),
    TamperFault("a policy left out", _metric("id_retrieval", missing_policy=None)),
    TamperFault("the other policy's value", put("metrics", "id_retrieval", "excluding_missing", "value", value=scaled(0.5))),
    TamperFault("the other policy left out", _metric("id_retrieval", excluding_missing=None)),
    TamperFault("the counting policy left out", _metric("identity", counting_missing=None)),
    TamperFault("a label", _metric("identity", label="Sameness")),
    TamperFault("a group", _metric("identity", group="Further metrics")),
    TamperFault("a place in the table", _metric("identity", order=1)),
    TamperFault("a range", _metric("identity", range=[0.0, 1.0])),
    TamperFault("a description", _metric("identity", description="how alike")),
    TamperFault("a dagger invented", _metric("identity", dagger="trained with it")),
    TamperFault("ranked or not", _metric("identity", unranked="nobody")),
    TamperFault("made to rank", _metric("identity_r", unranked=None), fits=lambda run: "identity_r" in _keys(run)),
    TamperFault("a headline", _metric("identity", headline=lambda old: not old)),
    TamperFault("the size of the gallery", _metric("id_retrieval", gallery=1000)),
    TamperFault("the gallery left out", _metric("id_retrieval", gallery=None, curve=[])),
    TamperFault("a point of a curve", put("metrics", "id_retrieval", "curve", 0, "value", value=scaled(0.9))),
    TamperFault("a curve's interval", put("metrics", "id_retrieval", "curve", 0, "ci95", value=[0.0, 0.1])),
    TamperFault("a curve left out", _metric("id_retrieval", curve=[])),
    TamperFault("whether a source is needed", _metric("identity", needs_source=False)),
    TamperFault("a value without sources invented", lambda run: _invented_beside(run)),
    TamperFault("a metric left out", drop("metrics", "identity")),
    TamperFault("a metric invented", put("metrics", "glow", value={})),
    TamperFault("two metrics exchanged", lambda run: _exchanged_metrics(run)),
    # the ledger's counts
    TamperFault("expected frames", together(_fewer(1))),
    TamperFault("a failure moved", put("counts", "failed", value=lambda old: {"decode_error": sum(old.values()) or 0} or old)),
    TamperFault("ways back invented", put("back", value={"expected": 1, "used": 1, "failed": {}})),
    TamperFault("swaps without source invented", put("sourceless", value={"expected": 1, "used": 1, "failed": {}})),
    TamperFault("a check invented", put("check", value={"kind": "fits", "text": "fits", "mend": "", "clips": 2})),
    # where it comes from
    TamperFault("the command", put(*_R, "command", value="python -m bench.ffpp")),
    TamperFault("the model's name", put(*_R, "model", "name", value="yours")),
    TamperFault("the model's weights", put(*_R, "model", "weights_sha256", value="2" * 64)),
    TamperFault("what the model is", put(*_R, "model", "spec", value="mine")),
    TamperFault("a reference made a model", lambda run: put(*_R, "model", "reference", value=lambda old: not old)(run)),
    TamperFault("what it was trained with", put(*_R, "model", "trained_with", value=["other"])),
    TamperFault("where it departs", put(*_R, "model", "departures", value=["none"])),
    TamperFault("a rule", put(*_R, "protocol", "missing", value="exclude")),
    TamperFault("a rule of the frames", put(*_R, "protocol", "frames", value=10)),
    TamperFault("a rule of the gallery", put(*_R, "protocol", "gallery", value="without_source_frame")),
    TamperFault("a rule of the sources", put(*_R, "protocol", "source_rule", value="frontal")),
    TamperFault("the name of the protocol", put(*_R, "protocol", "name", value="ff++")),
    TamperFault("the identity map", put(*_R, "protocol", "identity_map", value={"000": "001"})),
    TamperFault("the data's name", put(*_R, "data", "name", value="faceforensics")),
    TamperFault("the data's hash", put(*_R, "data", "manifest_sha256", value=another)),
    TamperFault("the data's clips", put(*_R, "data", "clips", value=1000)),
    TamperFault("the data's originals", put(*_R, "data", "originals", value=1000)),
    TamperFault("what was hashed of the data", put(*_R, "data", "manifest", value="all bytes")),
    TamperFault("the gallery's people", put(*_R, "gallery", "people", value=1000)),
    TamperFault("the gallery left out of the run", put(*_R, "gallery", value=None)),
    TamperFault("an instrument's name", put(*_R, "instruments", 1, "name", value="arcface:r100")),
    TamperFault("an instrument's weights", put(*_R, "instruments", 1, "weights_sha256", value="3" * 64)),
    TamperFault("an instrument's licence", put(*_R, "instruments", 1, "licence", value="MIT")),
    TamperFault("an instrument left out", drop(*_R, "instruments", 1)),
    TamperFault("the detector left out", drop(*_R, "instruments", 0)),
    TamperFault("the instruments' order", put(*_R, "instruments", value=lambda old: old[::-1])),
    TamperFault("the version of Python", put(*_R, "environment", "python", value="3.99.0")),
    TamperFault("the environment emptied", put(*_R, "environment", value={})),
    TamperFault("the seed", put(*_R, "seed", value=5)),
    TamperFault("when it started", put(*_R, "started", value="2020-01-01T00:00:00+00:00")),
    TamperFault("how long it took", put(*_R, "seconds", value=scaled(0.5))),
    TamperFault("scored again", put(*_R, "rescored", value="2020-01-01T00:00:00+00:00")),
    TamperFault("what was seen before", put(*_R, "seen", value=lambda old: [] if old else _seen())),
    TamperFault("the schema's version", put("schema_version", value=9)),
    TamperFault("all file hashes left out", put("files", value={})),
    TamperFault("all file hashes left out everywhere", _all_models(put("files", value={}))),
    TamperFault("the hash of the frames left out", drop("files", F)),
    TamperFault("the hash of the originals left out", drop("files", O)),
    TamperFault("the hash of the pictures left out", drop("files", P), fits=_has(P)),
    TamperFault("a hash of no file", put("files", "cases.bin", value="2" * 64)),
    TamperFault("the layout of the JSON", lambda run: run.results(lambda content: None), "the same content: spaces and order "
                "of keys are no part of it"),
)  # fmt: skip
"""Of results.json."""


def _seen() -> list[dict[str, object]]:
    return [{"who": "sface", "role": "instrument", "people": 4, "seen": 0, "unknown": 0}]


def _keys(run: Run) -> list[str]:
    return list(json.loads((run.folder / run.model / "results.json").read_bytes())["metrics"])


def _near_zero(run: Run) -> None:
    """The metric whose interval's ends are the smallest: a third as wide."""

    def change(content: Content) -> None:
        with_interval = [
            one for one in content["metrics"].values() if one["ci95"] and one["ci95"][0] < one["ci95"][1]
        ]
        smallest = min(with_interval, key=lambda one: max(map(abs, one["ci95"])))
        smallest["ci95"] = narrowed(smallest["ci95"])

    run.results(change)


def _invented_interval(run: Run) -> None:
    """An interval of a millionth of its value, where there is none or one of no width."""

    def change(content: Content) -> None:
        for one in content["metrics"].values():
            if one["value"] is not None and (one["ci95"] is None or one["ci95"][0] == one["ci95"][1]):
                one["ci95"] = [one["value"] - 4e-7, one["value"] + 4e-7]
                return
        one = content["metrics"]["identity"]
        one["ci95"] = [one["value"] - 4e-7, one["value"] + 4e-7]

    run.results(change)


def _other_instrument(run: Run) -> None:
    def change(content: Content) -> None:
        one = content["metrics"]["identity"]
        names = [info["name"] for info in content["run"]["instruments"]]
        one["instrument"] = next(name for name in names[::-1] if name != one["instrument"])

    run.results(change)


def _invented_beside(run: Run) -> None:
    def change(content: Content) -> None:
        one = next(one for key, one in content["metrics"].items() if key.startswith("pose"))
        one["without_source"] = {name: one[name] for name in ("value", "ci95", "n", "clusters")} | {
            "missing": 0
        }

    run.results(change)


def _exchanged_metrics(run: Run) -> None:
    def change(content: Content) -> None:
        metrics = content["metrics"]
        metrics["identity"], metrics["target_identity"] = metrics["target_identity"], metrics["identity"]

    run.results(change)


TABLES = (
    TamperFault("a frame left out", _frames(but(1), 1)),
    TamperFault("a frame left out unsaid", kept(F, but(1))),
    TamperFault("a clip left out", _clip_gone),
    TamperFault("a frame twice", _frames(lambda table: [*but(-1)(table), len(table["clip"]) - 1, 0], -1)),
    TamperFault("rows in another order", kept(F, lambda table: list(range(len(table["clip"])))[::-1])),
    TamperFault("no rows", _frames(lambda table: [], 0)),
    TamperFault("a frame's number", cells(F, "frame", lambda old: old + 1, first_ok)),
    TamperFault("a position", cells(F, "position", lambda old: old + 1, first_ok)),
    TamperFault("a source's frame", cells(F, "source_frame", lambda old: old + 1, first_ok)),
    TamperFault("how many frames there were", cells(F, "there", lambda old: old + 5)),
    TamperFault("a status", cells(F, "status", lambda old: "no_face", first_ok)),
    TamperFault("a reason", cells(F, "reason", lambda old: "blurred", first_ok)),
    TamperFault("the rows' model", cells(F, "model", lambda old: "yours")),
    TamperFault("the manipulation", cells(F, "manipulation", lambda old: "Deepfakes")),
    TamperFault("the compression", cells(F, "compression", lambda old: "raw")),
    TamperFault("a cluster", cells(F, "cluster", lambda old: "x", first_ok)),
    TamperFault("a person", cells(F, "target_person", lambda old: "x", first_ok)),
    TamperFault("target and source exchanged", lambda run: run.table(F, _exchanged)),
    TamperFault("how many faces", cells(F, "faces", lambda old: 7)),
    TamperFault("a face's box", cells(F, "box", times(1.5))),
    TamperFault("the detector's score", cells(F, "score", lambda old: 0.99)),
    TamperFault("whether a frame counts", cells(F, "posed", lambda old: not old, first_ok)),
    TamperFault("a frame's value", cells(F, "metric/identity", lambda old: old + 0.01, first_ok)),
    TamperFault("a column of values", cells(F, "metric/identity", lambda old: old + 0.001)),
    TamperFault("a column of values left out", column(F, "metric/identity", None)),
    TamperFault("a column of values invented", column(F, "metric/glow", lambda table: [1.0] * len(table["clip"]))),
    TamperFault("a rank", cells(F, "rank/id_retrieval", lambda old: 1.0)),
    TamperFault("the ranks left out", column(F, "rank/id_retrieval", None)),
    TamperFault("what a missing face counts as", cells(F, "missing/id_retrieval", lambda old: 100.0, lambda table: [0])),
    TamperFault("a reading", cells(F, "swap/", times(0.9), first_ok)),
    TamperFault("a reading's last digits", cells(F, "swap/", times(1.00001), first_ok), "by less than what the readings' own "
                "precision does to a metric, so that no number that is printed changes"),
    TamperFault("a reading left out", column(F, "swap/", None)),
    TamperFault("a picture's features", cells(F, "picture/", times(1.1), first_ok)),
    TamperFault("a pixel metric's value", cells(F, "metric/ssim_outside", lambda old: 1.0, first_ok)),
    TamperFault("an original's reading", cells(O, "original/", times(1.1), lambda table: [0])),
    TamperFault("an original's status", cells(O, "status", lambda old: "no_face", lambda table: [0])),
    TamperFault("an original's person", cells(O, "person", lambda old: "x", lambda table: [0])),
    TamperFault("an original left out", kept(O, but(0))),
    TamperFault("an original twice", kept(O, lambda table: [0, *range(len(table["clip"]))])),
    TamperFault("the gallery's frames", cells(O, "gallery", lambda old: False, lambda table: [0])),
    TamperFault("the truth's reading", cells("../truth.parquet", "truth/", times(1.1), lambda table: [0]),
                fits=_has("../truth.parquet")),
    TamperFault("a frame of video left out", kept(V, but(1)), fits=_has(V)),
    TamperFault("a value of video", cells(V, "metric/", lambda old: old * 0.9), fits=_has(V)),
    TamperFault("a reading of video", cells(V, "swap/", times(0.9), first_ok), fits=_has(V)),
    TamperFault("a picture left out", kept(P, but(0)), fits=_has(P)),
    TamperFault("a picture's words", cells(P, "metric_text", lambda old: "cosine 0.99"), fits=_has(P)),
    TamperFault("no pictures", _removed(P), fits=_has(P)),
    TamperFault("frames cut off", lambda run: _cut(run, F)),
    TamperFault("no frames", _removed(F)),
    TamperFault("no originals", _removed(O)),
    TamperFault("no truth", _removed("../truth.parquet"), fits=_has("../truth.parquet")),
    TamperFault("no video", _removed(V), fits=_has(V)),
    TamperFault("no results", _removed("results.json")),
)  # fmt: skip
"""Of tables and files."""
FOLDER = (
    TamperFault("a model left out", _model_gone),
    TamperFault("a reference left out", _reference_gone),
    TamperFault("a model twice", _model_twice),
    TamperFault("the page left out", _removed("../report.html"), fits=_has("../report.html")),
    TamperFault("the page emptied", _page(lambda text: ""), fits=_has("../report.html")),
    TamperFault("a number of the page", _page(_better_page), fits=_has("../report.html")),
    TamperFault("words of the page", _page(lambda text: text.replace("</h1>", " (best)</h1>")), fits=_has("../report.html")),
    TamperFault("a script in the page", _page(lambda text: text.replace("</main>", "</main><script>1</script>")),
                fits=_has("../report.html")),
    TamperFault("the page cut off", _page(lambda text: text[: len(text) // 2]), fits=_has("../report.html")),
    TamperFault("another run's page", _foreign_page, fits=_has("../report.html")),
    TamperFault("a file besides", lambda run: (run.folder / "notes.txt").write_text("mine") and None,
                "files that no run wrote are the owner's own and are read by nothing"),
)  # fmt: skip
"""Of the page and the folder."""
FAULTS = (*RESULTS, *TABLES, *FOLDER)
"""Every kind."""


def _cut(run: Run, name: str) -> None:
    path = run.folder / run.model / name
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


kinds: dict[str, Callable[[Run, bool], None]] = {fault.name: fault.inject for fault in FAULTS}
"""By name, what makes each: of a run, and whether its hashes are put right."""
