"""Changes of a finished run's results.json, by kind (bench.faults.tampering)."""

from __future__ import annotations

import json

from bench.faults.tampered import (
    Content,
    Run,
    TamperFault,
    all_models,
    another,
    drop,
    fewer,
    having,
    metric,
    narrowed,
    put,
    scaled,
    times,
    together,
)

FRAMES, ORIGINALS, PICTURES = "frames.parquet", "../originals.parquet", "pictures.parquet"
_R = ("run",)
RESULTS = (
    # what was measured
    TamperFault("a value", metric("identity", value=scaled(0.99))),
    TamperFault("a value by a hundred thousandth", metric("identity", value=scaled(1.00001))),
    TamperFault("a value taken away", metric("identity", value=None)),
    TamperFault("an interval", metric("identity", ci95=narrowed)),
    TamperFault("an interval moved", metric("shape@anny", ci95=times(1.02)), fits=lambda run: "shape@anny" in _keys(run)),
    TamperFault("an interval taken away", metric("identity", ci95=None)),
    TamperFault("an interval near zero", lambda run: _near_zero(run)),
    TamperFault("an interval of nothing", lambda run: _invented_interval(run)),
    TamperFault("how many frames", metric("identity", n=lambda old: old + 1)),
    TamperFault("how many pairs of people", metric("identity", clusters=1)),
    TamperFault("a unit", metric("identity", unit="%")),
    TamperFault("a direction", metric("identity", higher_is_better=False)),
    TamperFault("an instrument", metric("identity", instrument="other")),
    TamperFault("another of the run's instruments", lambda run: _other_instrument(run)),
    TamperFault("no instrument", metric("identity", instrument=None)),
    TamperFault("a version to come", metric("identity", version=9)),
    TamperFault("a version in words", metric("identity", version="mine")),
    TamperFault("an older version", metric("pose", version=1), fits=lambda run: "pose" in _keys(run)),
    TamperFault("how many are missing", metric("identity", missing=3)),
    TamperFault("missing left out", metric("identity", missing=None)),
    TamperFault("a policy", metric("id_retrieval", missing_policy="exclude")),
    TamperFault("a policy left out", metric("id_retrieval", missing_policy=None)),
    TamperFault("the other policy's value", put("metrics", "id_retrieval", "excluding_missing", "value",
                value=scaled(0.5))),
    TamperFault("the other policy left out", metric("id_retrieval", excluding_missing=None)),
    TamperFault("the counting policy left out", metric("identity", counting_missing=None)),
    TamperFault("a label", metric("identity", label="Sameness")),
    TamperFault("a group", metric("identity", group="Further metrics")),
    TamperFault("a place in the table", metric("identity", order=1)),
    TamperFault("a range", metric("identity", range=[0.0, 1.0])),
    TamperFault("a description", metric("identity", description="how alike")),
    TamperFault("a dagger invented", metric("identity", dagger="trained with it")),
    TamperFault("ranked or not", metric("identity", unranked="nobody")),
    TamperFault("made to rank", metric("identity_r", unranked=None), fits=lambda run: "identity_r" in _keys(run)),
    TamperFault("a headline", metric("identity", headline=lambda old: not old)),
    TamperFault("the size of the gallery", metric("id_retrieval", gallery=1000)),
    TamperFault("the gallery left out", metric("id_retrieval", gallery=None, curve=[])),
    TamperFault("a point of a curve", put("metrics", "id_retrieval", "curve", 0, "value", value=scaled(0.9))),
    TamperFault("a curve's interval", put("metrics", "id_retrieval", "curve", 0, "ci95", value=[0.0, 0.1])),
    TamperFault("a curve left out", metric("id_retrieval", curve=[])),
    TamperFault("whether a source is needed", metric("identity", needs_source=False)),
    TamperFault("a value without sources invented", lambda run: _invented_beside(run)),
    TamperFault("a metric left out", drop("metrics", "identity")),
    TamperFault("a metric invented", put("metrics", "glow", value={})),
    TamperFault("two metrics exchanged", lambda run: _exchanged_metrics(run)),
    # the ledger's counts
    TamperFault("expected frames", together(fewer(1))),
    TamperFault("a failure moved", put("counts", "failed", value=lambda old: {"decode_error": sum(old.values())}),
                fits=lambda run: _failed(run)),
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
    TamperFault("all file hashes left out everywhere", all_models(put("files", value={}))),
    TamperFault("the hash of the frames left out", drop("files", FRAMES)),
    TamperFault("the hash of the originals left out", drop("files", ORIGINALS)),
    TamperFault("the hash of the pictures left out", drop("files", PICTURES), fits=having(PICTURES)),
    TamperFault("a hash of no file", put("files", "cases.bin", value="2" * 64)),
    TamperFault("the layout of the JSON", lambda run: run.results(lambda content: None),
                "the same content: spaces and the order of keys say nothing"),
)  # fmt: skip
"""Of results.json."""


def _seen() -> list[dict[str, object]]:
    return [{"who": "sface", "role": "instrument", "people": 4, "seen": 0, "unknown": 0}]


def _failed(run: Run) -> bool:
    return bool(json.loads((run.folder / run.model / "results.json").read_bytes())["counts"]["failed"])


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
        one = content["metrics"]["target_identity"]
        one["without_source"] = {name: one[name] for name in ("value", "ci95", "n", "clusters")} | {
            "missing": 0
        }

    run.results(change)


def _exchanged_metrics(run: Run) -> None:
    def change(content: Content) -> None:
        metrics = content["metrics"]
        metrics["identity"], metrics["target_identity"] = metrics["target_identity"], metrics["identity"]

    run.results(change)
