"""results.json: what goes in comes out, and everything wrong is said in one line that names the file."""

from __future__ import annotations

import json
import os
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from reports.results import (
    MAX_BYTES,
    Counts,
    MetricValue,
    OutputError,
    Results,
    ResultsError,
    explain,
    load,
    write_atomic,
)
from tests.support.report_builders import content


def metric(**changes: Any) -> dict[str, Any]:
    made = {
        "value": 0.5,
        "ci95": [0.4, 0.6],
        "n": 40,
        "clusters": 20,
        "unit": "L2",
        "higher_is_better": False,
        "instrument": "dlib",
        "version": 1,
        "label": "Pose",
        "group": "Attribute keeping",
        "order": 60,
        "range": [0.0, None],
    }
    return {**made, **changes}


def test_round_trip_keeps_every_field(tmp_path: Path) -> None:
    given = content()
    path = write_atomic(tmp_path / "new" / "results.json", Results.model_validate(given))
    assert load(path) == Results.model_validate(given)
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["metrics"]["id_retrieval"]["ci95"] == given["metrics"]["id_retrieval"]["ci95"]
    assert {**stored["run"]["protocol"]} == {
        **given["run"]["protocol"],
        "name": None,
        "identity_map_sha256": None,
    }
    assert stored["run"]["instruments"][1]["iterations"] == 40  # keys the schema does not know
    assert (
        write_atomic(path, load(path)).read_text(encoding="utf-8")
        == json.dumps(stored, indent=2, ensure_ascii=False) + "\n"
    )


def test_numpy_numbers_are_taken_and_nan_is_missing() -> None:
    taken = MetricValue(
        **metric(
            value=np.float32(0.5),
            ci95=(np.float64(0.25), np.float32(0.75)),
            n=np.int64(40),
            clusters=np.int32(20),
        )
    )
    assert (taken.value, taken.ci95, taken.n, taken.clusters) == (0.5, (0.25, 0.75), 40, 20)
    missing = MetricValue(**metric(value=np.float64("nan"), ci95=(float("nan"), 1.0), n=0, clusters=0))
    assert missing.value is None
    assert missing.ci95 is None


@pytest.mark.parametrize(
    ("expected", "used", "failed", "fits"),
    [
        (10, 10, {}, True),
        (10, 7, {"no_face": 2, "decode_error": 1}, True),
        (10, 9, {}, False),
        (10, 9, {"no_face": 2}, False),
        (0, 0, {}, True),
        (5, 6, {"no_face": -1}, False),
    ],
)
def test_every_expected_frame_is_used_or_has_a_reason(
    expected: int, used: int, failed: dict[str, int], fits: bool
) -> None:
    if fits:
        assert Counts(expected=expected, used=used, failed=failed).used == used
    else:
        with pytest.raises(ValidationError):
            Counts(expected=expected, used=used, failed=failed)


def test_the_counts_error_says_the_sum() -> None:
    with pytest.raises(ValidationError) as caught:
        Counts(expected=10, used=6, failed={"no_face": 1})
    assert "expected 10 frames, but used 6 + failed 1 = 7" in explain(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"ci95": [0.6, 0.4]},
        {"clusters": 41},
        {"n": 0, "clusters": 0},
        {"value": "0.5"},
        {"value": True},
        {"value": float("inf")},
        {"n": -1},
        {"n": 1.5},
        {"ci_95": [0.4, 0.6]},
        {"instrument": "two\nlines"},
        {"dagger": ""},
        {"label": ""},
        {"label": None},
        {"group": "two\nlines"},
        {"order": 1.5},
        {"range": [0.0]},
        {"range": [0.0, float("inf")]},
    ],
)
def test_a_metric_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    MetricValue(**metric())
    with pytest.raises(ValidationError):
        MetricValue(**metric(**changes))


OTHER_NAME_SAME_WEIGHTS = content()["run"]["instruments"][0]["weights_sha256"]


@pytest.mark.parametrize(
    "trained_with", [["dlib"], ["DLIB:other.dat"], ["anything", OTHER_NAME_SAME_WEIGHTS]]
)
def test_numbers_of_an_instrument_used_in_training_get_a_dagger(trained_with: list[str]) -> None:
    given = content()
    given["run"]["model"]["trained_with"] = trained_with
    results = Results.model_validate(given)
    marked = {key for key, value in results.metrics.items() if value.dagger}
    assert marked == {key for key, value in given["metrics"].items() if value["instrument"] == "dlib"}
    assert "smoothswap was trained with dlib" in str(results.metrics["identity"].dagger)


def test_a_dagger_given_by_hand_is_kept() -> None:
    given = content()
    given["run"]["model"]["trained_with"] = ["dlib"]
    given["metrics"]["identity"]["dagger"] = "tuned on these very clips"
    given["metrics"]["pose"]["dagger"] = "another reason"
    metrics = Results.model_validate(given).metrics
    assert metrics["identity"].dagger == "tuned on these very clips"
    assert metrics["pose"].dagger == "another reason"
    assert metrics["expression"].dagger is None


def test_a_missing_file_says_that_the_run_did_not_finish(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no results at .*results\.json.*did not finish"):
        load(tmp_path / "results.json")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot read"):
        load(tmp_path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: b"",
        lambda text: text.replace(b'"n": 396', b'"n": NaN', 1),
        lambda text: b"[" * 1_000_000,
        lambda text: b'{"a":' * 100_000,
        lambda text: b"\xff\xfe\x00" + text,
        lambda text: b'{"schema_version": 1, "run": "\\ud800"}',
        lambda text: b"1" * 100_000 + b"x",
    ],
    ids=["truncated", "empty", "NaN", "deep list", "deep object", "not UTF-8", "half a character", "digits"],
)
def test_spoilt_json_is_one_clear_error(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(spoil(Results.model_validate(content()).to_json().encode()))
    with pytest.raises(ResultsError, match=r"results\.json is not whole JSON") as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "3", '"text"', "{}"]
    + [f'{{"schema_version": {version}}}' for version in ("3", '"1"', "true")],
)
def test_another_schema_version_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ResultsError, match=r"schema_version.*this program reads versions 1 and 2"):
        load(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ResultsError, match="larger than 8 MB"):
        load(path)


@pytest.mark.parametrize(
    ("where", "value", "field"),
    [
        (("counts", "used"), 1, "counts"),
        (("run", "command"), 5, "run.command"),
        (("run", "model", "name"), "a\u202eb", "run.model.name"),
        (("run", "model", "name"), " ", "run.model.name"),
        (("run", "started"), "yesterday", "run.started"),
        (("run", "started"), "2026-02-03T10:20:00", "run.started"),
        (("metrics", "identity", "value"), "high", "metrics.identity.value"),
        (("metrics", "identity", "ci95"), [1, 2, 3], "metrics.identity.ci95"),
        (("metrics",), [], "metrics"),
        (("run", "protocol"), {}, "run.protocol.hash"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, where: tuple[str, ...], value: Any, field: str) -> None:
    given = content()
    inner = given
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    path = tmp_path / "results.json"
    path.write_text(json.dumps(given))
    with pytest.raises(ResultsError, match=re.escape(f"results.json: {field}")) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_infinity_in_a_free_field_is_refused_in_writing(tmp_path: Path) -> None:
    given = content()
    given["run"]["environment"]["load"] = float("inf")
    with pytest.raises(ResultsError, match="'smoothswap' hold a number that is not finite"):
        write_atomic(tmp_path / "results.json", Results.model_validate(given))
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_atomic(path, "old " * 1000)
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def _in_a_child(work: Callable[[], None]) -> str:
    """Run `work` in a forked process and return the OutputError it raised, or what else happened."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
            said = "no error"
        except OutputError as error:
            said = f"OutputError: {error}"
        except BaseException as error:  # noqa: BLE001  # the parent reports it
            said = repr(error)
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as file:
        return file.read().decode()


def test_a_full_folder_is_one_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = write_atomic(tmp_path / "report.html", "old")

    def work() -> None:
        # The kernel refuses every byte past the limit, as a full disk does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        write_atomic(path, "x" * 100_000)

    said = _in_a_child(work)
    assert re.fullmatch(
        r"OutputError: cannot write .*report\.html \(100,000 bytes\): .*; free space .*", said
    )
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_read_only_folder_is_one_error(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)

    def work() -> None:
        if os.geteuid() == 0:  # permissions do not bind root
            os.setuid(65534)
        write_atomic(folder / "results.json", "{}")

    said = _in_a_child(work)
    assert re.fullmatch(
        r"OutputError: cannot write .*results\.json \(2 bytes\): Permission denied; .*--out", said
    )
    assert list(folder.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("I am a file")
    with pytest.raises(OutputError, match=r"cannot write .*results\.json"):
        write_atomic(tmp_path / "out" / "results.json", "{}")
    with pytest.raises(OutputError, match="cannot write"):
        write_atomic(tmp_path, "the folder itself")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
