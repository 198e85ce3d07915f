"""python -m bench.pairs: a list of pictures through models, ledger, slices, verifier and rescoring."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from bench.pairs.__main__ import main
from bench.rescore import rescore
from bench.verify.__main__ import check
from reports.results import load
from reports.slices import read_slices
from tests.support.ffpp_trees import face_frame, faceless, swapped_frames
from tests.support.made_runs import unread_page


def save(path: Path, frame: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(frame[..., ::-1]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people with two photographs each and a picture of nobody; a list of five pairs with finished swaps."""
    root = tmp_path_factory.mktemp("pairs")
    for clip in ("000", "001", "002", "003"):
        for i in (1, 2):
            save(root / "images" / clip / f"{clip}_{i}.png", face_frame(clip, shift=2 * i))
    save(root / "images" / "004" / "004_1.png", faceless()[0])
    lines = ["source,target,swap,place"]
    for target, source, place in (
        ("000", "001", "in"), ("001", "000", "out"), ("002", "003", "in"), ("003", "002", "out"), ("004", "003", "in"),
    ):  # fmt: skip
        name = f"{target}_{source}.png"
        made = faceless()[0] if target == "004" else swapped_frames(target, source, 2)[1]
        save(root / "swaps" / name, made)
        lines.append(
            f"{source}/{source}_1.png,{target}/{target}_{1 if target == '004' else 2},{name},{place}"
        )
    (root / "pairs.csv").write_text("\n".join(lines))
    return root


def arguments(folder: Path, out: Path, colours: str) -> list[str]:
    return [
        "--pairs", str(folder / "pairs.csv"), "--images", str(folder / "images"), "--swaps", str(folder / "swaps"),
        "--model", "mine=list", "--model", "copy-target", "--no-references", "--instruments", colours, "--workers", "1",
        "--out", str(out),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def once(folder: Path, tmp_path_factory: pytest.TempPathFactory, colours: str) -> Path:
    out = tmp_path_factory.mktemp("out") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.ffpp.report.write_report", unread_page)
        assert main(arguments(folder, out, colours)) == 0
    return out


@pytest.fixture
def run(once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(once, tmp_path / "run")


def test_every_line_is_one_row_and_the_run_says_which_list(once: Path) -> None:
    results = load(once / "mine" / "results.json")
    assert (results.counts.expected, results.counts.used) == (5, 4)
    assert results.counts.failed == {"no_face": 1}
    said = results.run.data.model_dump()
    assert (said["kind"], said["name"], said["people"]) == ("pairs", "pairs", "the folder")
    assert said["people_in_several_pairs"] == 1
    assert results.run.protocol.model_dump()["frames"] == 1
    assert {"../pairs.parquet", "slices.json"} <= set(results.files)
    assert results.metrics["id_retrieval"].value == 100
    assert results.run.gallery is not None
    assert results.run.gallery.people == 4


def test_slices_are_made_of_columns_and_of_what_is_read(once: Path) -> None:
    slices = read_slices(once / "mine" / "slices.json")
    assert slices is not None
    axes = {axis.key: axis for axis in slices.axes}
    assert [(one.label, one.pairs, one.used) for one in axes["column/place"].slices] == [
        ("in", 3, 2),
        ("out", 2, 2),
    ]
    assert "column/swap" not in axes
    assert axes["read/target_brightness"].without == 1, "nobody is in the fifth target"
    assert sum(one.pairs for one in axes["read/target_brightness"].slices) == 4


def test_the_verifier_agrees(once: Path) -> None:
    assert [check(once / name).violations for name in ("mine", "copy-target")] == [[], []]


def test_rescoring_gives_the_same_slices(once: Path, tmp_path: Path) -> None:
    rescore(once, tmp_path / "again", keep_readings=False, keep_pictures=False)
    for name in ("mine/slices.json", "pairs.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (once / name).read_bytes()


def rehash(run: Path, name: str) -> None:
    """Put the hash of a changed file right in results.json."""
    path = run / "mine" / "results.json"
    content = json.loads(path.read_text())
    content["files"][name] = hashlib.sha256((run / "mine" / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(content))


def first(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda content: change(content["axes"][0]["slices"][0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            first(lambda one: one["metrics"]["identity"].update(value=0.25)),
            "column/place, in: identity 0.25 of",
        ),
        (first(lambda one: one["metrics"]["identity"].update(ci95=[0.9, 1.0])), "identity has the interval"),
        (first(lambda one: one["metrics"].pop("identity")), "metrics differ in identity"),
        (first(lambda one: one.update(pairs=30)), "pairs, clusters, frames, used are"),
        (first(lambda one: one.update(label="easy")), "the category is in"),
        (lambda content: content["axes"][0]["slices"].pop(), "1 slices, recomputed 2"),
        (lambda content: content["axes"].pop(0), "the pairs can be sliced by"),
        (lambda content: content["axes"][1].update(without=0), "0 pairs without a value, recomputed 1"),
        (lambda content: content["axes"][1]["slices"][0].update(low=0.0), "read/target_brightness"),
        (lambda content: content.update(model="other"), "of the model other"),
    ],
)
def test_a_changed_slice_is_named(run: Path, change: Callable[[dict[str, Any]], Any], said: str) -> None:
    path = run / "mine" / "slices.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    rehash(run, "slices.json")
    assert any(said in violation for violation in check(run / "mine").violations)


def test_changed_pairs_and_a_missing_file_are_named(run: Path) -> None:
    pairs = pd.read_parquet(run / "pairs.parquet")
    pairs["read/target_brightness"] = pairs["read/target_brightness"][::-1].to_numpy()
    pairs.to_parquet(run / "pairs.parquet", index=False)
    rehash(run, "../pairs.parquet")
    found = check(run / "mine").violations
    assert any(
        "read/target_brightness do not follow from their originals" in violation for violation in found
    )
    (run / "pairs.parquet").unlink()
    assert any("one without the other" in violation for violation in check(run / "mine").violations)


def test_what_does_not_fit_is_refused(
    folder: Path, tmp_path: Path, colours: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(folder, tmp_path, colours)
    assert main([*given, "--video", "4"]) == 2
    assert "the list holds pictures alone" in capsys.readouterr().err
    assert main([*given, "--gallery-size", "9"]) == 2
    assert "more than the 5 people" in capsys.readouterr().err
    exchanged = tmp_path / "exchanged.csv"
    exchanged.write_text((folder / "pairs.csv").read_text().replace("source,target", "target,source"))
    assert main([*given, "--pairs", str(exchanged)]) == 3
    assert "exchange source and target in the list, or correct the column swap" in capsys.readouterr().err


def test_a_dry_run_says_how_the_list_is_understood(
    folder: Path, tmp_path: Path, colours: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pairs.txt").write_text("001/001_1.png 000/000_2.png\n001/001_1 009/009_1\n")
    given = [*arguments(folder, tmp_path, colours), "--pairs", str(tmp_path / "pairs.txt"), "--model", "blur"]
    given = [word for word in given if word != "mine=list"]
    given.remove("--model")
    assert main([*given, "--dry-run"]) == 3
    assert "line 2: '009/009_1'" in capsys.readouterr().err
    assert main([*given, "--dry-run", "--skip-missing"]) == 0
    said = capsys.readouterr()
    assert "2 expected of each model" in said.out
    assert "2 pairs of 3 people (the folder); sliced by no column" in said.err
    assert "1 of the 3 people are in more than one pair of people" in said.err
