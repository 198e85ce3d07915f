"""The examination of instruments: faces in which one thing changes, figures, verdicts, the command and its page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.reading.reader import Reading, Status
from bench.validity.__main__ import main, plain, verdict
from bench.validity.measures import Examined, examine, figures
from bench.validity.samples import FACTORS, FREE, person_samples
from reports.results import ResultsError
from reports.studies.validity import markdown, read_validity


@pytest.fixture(scope="module")
def samples() -> list:
    return person_samples(3, 96, 5)


def test_one_thing_changes_at_a_time(samples: list) -> None:
    by = {s.factor: s for s in samples}
    base = by["base"]
    assert [s.factor for s in samples] == ["free"] * FREE + ["base", *FACTORS]
    for factor in FACTORS:
        other = by[factor]
        assert (not np.array_equal(other.shape, base.shape)) == (factor == "identity")
        assert (other.identity != base.identity) == (factor == "identity")
        assert (not np.array_equal(other.expression, base.expression)) == (factor == "expression")
        assert (not np.array_equal(other.pose, base.pose)) == (factor == "pose")
        assert not np.array_equal(other.image, base.image)
    again = np.abs(by["again"].image.astype(int) - base.image).mean()
    assert again < min(np.abs(by[f].image.astype(int) - base.image).mean() for f in ("identity", "light"))
    same = person_samples(3, 96, 5)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(samples, same, strict=True))


def examined(read) -> Examined:
    """12 people whose shape, expression and pose are read by `read(name, truth)`; pictures are not looked at."""
    rng, samples, readings = np.random.default_rng(0), [], []
    image = np.zeros((4, 4, 3), np.uint8)
    from bench.validity.samples import Sample

    for person in range(12):
        shape = rng.normal(size=5).astype(np.float32)
        base = {
            "shape": shape,
            "expression": rng.normal(size=4).astype(np.float32),
            "pose": rng.normal(0, 0.2, 3).astype(np.float32),
        }
        for factor in (*["free"] * FREE, "base", *FACTORS):
            truth = dict(base)
            if factor == "free":
                truth |= {
                    k: rng.normal(0, 0.2 if k == "pose" else 1, len(base[k])) for k in ("expression", "pose")
                }
            elif factor in ("expression", "pose"):
                truth[factor] = rng.normal(0, 0.2 if factor == "pose" else 1, len(base[factor]))
            elif factor == "identity":
                truth["shape"] = rng.normal(size=5)
            truth = {k: np.asarray(v, np.float32) for k, v in truth.items()}
            samples.append(
                Sample(image, person, person, factor, truth["shape"], truth["expression"], truth["pose"])
            )
            status: Status = "ok"
            readings.append(Reading(1, None, status, "", {f"x/{k}": read(k, truth) for k in truth}))
    return Examined(samples, readings)


READS = ("shape", "expression", "pose")


def test_a_perfect_instrument_is_good_and_a_leaky_one_is_bad() -> None:
    perfect = plain(figures(examined(lambda k, t: t[k]), "x", READS, 0))
    assert perfect["shape_rank_correlation"]["value"] == pytest.approx(1)
    assert perfect["pose_median_error_deg"]["value"] == pytest.approx(0, abs=1e-3)
    assert perfect["selectivity"]["expression"]["identity"]["value"] == 0
    assert {r: verdict(r, perfect)["verdict"] for r in READS} == dict.fromkeys(READS, "good")
    assert perfect["shape_auc"]["value"] == 1
    for reading in ("expression", "pose"):  # nothing of the person is in them
        low, high = perfect[f"{reading}_auc"]["ci95"]
        assert low < 0.5 < high, reading
    rng = np.random.default_rng(1)

    def leak(name: str, truth: dict[str, np.ndarray]) -> np.ndarray:
        if name == "pose":
            return rng.normal(size=3)
        return np.r_[truth["shape"] * 2, truth[name]] if name == "expression" else truth[name]

    leaky = plain(figures(examined(leak), "x", READS, 0))
    assert leaky["expression_auc"]["ci95"][0] > 0.8
    found = verdict("expression", leaky)
    assert found["verdict"] == "bad"
    assert any("identity alone" in reason for reason in found["reasons"])
    assert verdict("pose", leaky)["verdict"] == "bad"
    assert verdict("shape", leaky)["verdict"] == "good"
    assert verdict("shape", {})["verdict"] == "unknown"


def test_missed_faces_are_counted_and_enter_no_figure() -> None:
    seen = examined(lambda k, t: t[k])
    lost = Reading(0, None, "no_face", "no face was detected")
    free = int(seen.rows("free")[0])
    readings = [lost if i == free else r for i, r in enumerate(seen.readings)]
    found = Examined(seen.samples, readings)
    assert found.missed()["free"] == {"expected": 48, "missed": 1}
    assert (
        figures(found, "x", ("shape",), 0)["shape_rank_correlation"].n
        < figures(seen, "x", ("shape",), 0)["shape_rank_correlation"].n
    )


def test_real_instruments_read_rendered_people() -> None:
    seen = examine(["dlib", "anny"], 4, 192, 5)
    found = figures(seen, "dlib", ("identity",), 0)
    assert found["identity_auc"].value > 0.9
    assert figures(seen, "anny", ("pose",), 0)["pose_median_error_deg"].value < 8


def test_the_command_writes_json_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "validity"
    assert main(["--people", "3", "--size", "128", "--instruments", "anny", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    validity = read_validity(out / "validity.json")
    assert "Pose error" in text
    assert markdown(validity) in text
    assert validity["instruments"]["anny"]["pose_median_error_deg"]["people"] == 3
    assert {v["verdict"] for v in validity["verdicts"]["anny"].values()} <= {"good", "fair", "bad", "unknown"}
    page = (out / "validity.html").read_text()
    assert "<script" not in page
    assert "anny" in page
    hostile = json.loads(json.dumps(validity).replace('"anny"', '"<script>alert(1)</script>"'))
    from reports.studies.validity import write_page

    assert "<script" not in write_page(tmp_path / "hostile", hostile).read_text()


def test_wrong_requests_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--instruments", "annie", "--out", str(tmp_path)]) == 2
    assert "did you mean 'anny'" in capsys.readouterr().err
    assert (
        main(
            [
                "--people",
                "3",
                "--size",
                "64",
                "--instruments",
                "dlib",
                "--lfw",
                str(tmp_path),
                "--out",
                str(tmp_path),
            ]
        )
        == 3
    )
    assert "images_deepfunneled" in capsys.readouterr().err.splitlines()[-1]
    with pytest.raises(ResultsError, match=r"bench\.validity"):
        read_validity(tmp_path / "none.json")
