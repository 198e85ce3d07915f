"""bench.compare and bench.regress: seeded faults are caught, unchanged runs are not, and files fit a CI."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from bench.compare import __main__ as compare
from bench.compare.runs import differences, read_model
from bench.errors import UsageError
from bench.ffpp.protocol import Protocol
from bench.regress import __main__ as regress
from bench.regress import baseline
from bench.regress.judge import judge
from bench.verify import __main__ as verify
from reports.results import load
from tests.support import made_runs


@pytest.fixture(scope="session")
def repeats(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Fifteen unchanged runs of one model, each with its own noise."""
    root = tmp_path_factory.mktemp("repeats")
    return [made_runs.write(root / str(i), "mine", made_runs.blend(), noise=i) for i in range(15)]


@pytest.fixture(scope="session")
def base(repeats: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline of the first five."""
    path = tmp_path_factory.mktemp("base") / "base.json"
    assert regress.main(["--baseline", str(path), "--make-from", *map(str, repeats[:5])]) == 0
    return path


def worse_by(share: float) -> made_runs.Model:
    """The model whose mean identity is `share` below that of made_runs.blend()."""

    def identity(model: made_runs.Model) -> float:
        _, frames = made_runs.people()
        source, target = (
            frames[1::2, :1].repeat(4, axis=1).reshape(-1, 8, 8, 3),
            frames[::2].reshape(-1, 8, 8, 3),
        )
        a, b = (made_runs.read(x, "identity") for x in (model(source, target), source))
        return float(np.mean(np.sum(a * b, 1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))

    wanted = (1 - share) * identity(made_runs.blend())
    low, high = 0.0, 0.7
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if identity(made_runs.blend(middle)) < wanted else (low, middle)
    return made_runs.blend(low)


def test_ten_unchanged_reruns_raise_no_alarm(base: Path, repeats: list[Path], tmp_path: Path) -> None:
    codes = [
        regress.main(["--baseline", str(base), "--run", str(run), "--out", str(tmp_path), "--strict"])
        for run in repeats[5:]
    ]
    assert codes == [0] * 10


def test_unchanged_reruns_are_not_separated_and_verify(repeats: list[Path]) -> None:
    found = compare.compare(read_model(repeats[5]), read_model(repeats[6]))
    assert not [c for c in found if c.verdict in ("better", "worse")]
    assert [verify.check(run).violations for run in repeats[:2]] == [[], []]


FAULTS = {
    "one percent of identity": (worse_by(0.01), "identity"),
    "flipped channels": (made_runs.flipped(made_runs.blend()), "identity"),
    "crop pasted one pixel off": (made_runs.shifted(made_runs.blend()), "expression"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_model_is_a_regression(
    base: Path, repeats: list[Path], tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model, key = FAULTS[name]
    broken = made_runs.write(tmp_path, "mine", model, noise=77)
    arguments = ["--baseline", str(base), "--run", str(broken), "--out", str(tmp_path / "ci")]
    assert regress.main([*arguments, "--json"]) == 4
    said = json.loads(capsys.readouterr().out)
    assert key in said["failed"]
    [one] = [c for c in compare.compare(read_model(repeats[5]), read_model(broken)) if c.metric == key]
    assert one.verdict == "worse"
    if name.startswith("one percent"):
        drop = 1 - (load(broken / "results.json").metrics["identity"].value or 0) / (
            load(repeats[5] / "results.json").metrics["identity"].value or 0
        )
        assert drop == pytest.approx(0.01, abs=0.002)


def test_lost_faces_are_a_regression(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = tuple(np.random.default_rng(0).choice(96, 12, replace=False).tolist())
    run = made_runs.write(tmp_path, "mine", made_runs.blend(), noise=20, lost=lost)
    assert regress.main(["--baseline", str(base), "--run", str(run), "--out", str(tmp_path)]) == 4
    assert "- **failed\\_frames**: worse by 12.5" in capsys.readouterr().out


def test_a_dropped_frame_rule_is_caught_by_all_three(base: Path, repeats: list[Path], tmp_path: Path) -> None:
    run = made_runs.write(tmp_path / "a", "mine", made_runs.blend(), noise=30)
    digest = made_runs.edit_frames(run, lambda data: data[data["position"] != 2])
    made_runs.edit_results(run, lambda c: c["files"].update({"frames.parquet": digest}))
    assert any("ledger" in v for v in verify.check(run).violations)
    judgements = judge(baseline.read(base), *read_model(run))
    assert judgements[0].status == "missing"
    assert "24 frames of the baseline are not in this run" in judgements[0].said
    fewer = made_runs.write(
        tmp_path / "b", "mine", made_runs.blend(), protocol=Protocol(frames=4, source_rule="matched")
    )
    assert compare.main([str(repeats[0]), str(fewer)]) == 3
    assert regress.main(["--baseline", str(base), "--run", str(fewer), "--out", str(tmp_path)]) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda c: c["run"]["instruments"][0]["crop"].update(size=9),
            "instrument made.crop: {'template': 'ffhq'",
        ),
        (
            lambda c: c["run"]["instruments"][0].update(weights_sha256="3" * 64),
            "instrument made.weights_sha256",
        ),
        (
            lambda c: c["run"]["instruments"][0].update(parameters={"jitters": 1}),
            "instrument made.parameters",
        ),
        (lambda c: c["metrics"]["pose"].update(version=3), "metric pose.version: 2 against 3"),
        (lambda c: c["run"]["data"].update(manifest_sha256="4" * 64), "data.manifest_sha256"),
        (
            lambda c: c["run"]["protocol"].update(faces_rule="single", hash="5" * 64),
            "protocol.faces_rule: largest_",
        ),
    ],
)
def test_unlike_measurements_are_refused_by_name(
    base: Path,
    repeats: list[Path],
    tmp_path: Path,
    change: Any,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = made_runs.write(tmp_path, "mine", made_runs.blend(), change=change)
    assert compare.main([str(repeats[0]), str(other)]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert "for 1 part of how" in printed.err
    assert regress.main(["--baseline", str(base), "--run", str(other), "--out", str(tmp_path)]) == 3
    [suite] = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.get("errors") == "1"
    assert said in "".join(suite.itertext())
    assert "could not be made" in (tmp_path / "summary.md").read_text()


def test_runs_of_other_galleries_do_not_compare(repeats: list[Path], tmp_path: Path) -> None:
    """Also where the protocol and the data are the same; results that do not say are no difference."""
    first, second = (load(folder / "results.json") for folder in repeats[:2])
    assert differences(first, second) == []
    assert first.run.gallery is not None
    fewer = first.run.gallery.model_copy(update={"people": 20})
    other = second.model_copy(update={"run": second.run.model_copy(update={"gallery": fewer})})
    assert differences(first, other) == ["gallery.people: 24 against 20"]
    older = second.model_copy(update={"run": second.run.model_copy(update={"gallery": None})})
    assert differences(first, older) == []
    drawn = made_runs.write(
        tmp_path, "mine", made_runs.blend(), protocol=Protocol(frames=4, gallery_size=5), noise=1
    )
    said = differences(first, load(drawn / "results.json"))
    assert "protocol.gallery_size: None against 5" in said
    assert "metric id_retrieval.gallery: 24 people against 5" in said


def test_compare_says_difference_interval_and_verdict(
    repeats: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    better = made_runs.write(tmp_path, "mine", made_runs.blend(0.9), noise=5, lost=(2,))
    assert compare.main([str(repeats[0]), str(better), "--json"]) == 0
    said = {c["metric"]: c for c in json.loads(capsys.readouterr().out)["metrics"]}
    one = said["identity"]
    assert one["verdict"] == "better"
    assert one["n"] == 95  # the lost frame has no value in B
    assert one["clusters"] == 12
    assert one["ci95"][0] < one["difference"] < one["ci95"][1]
    assert one["difference"] == pytest.approx(one["b"] - one["a"])
    assert said["id_retrieval"]["n"] == 96  # there it counts as wrong
    assert said["failed_frames"]["verdict"] == "not separated"
    assert compare.main([str(better), str(repeats[0]), "--metric", "identity"]) == 0
    assert "| worse |" in capsys.readouterr().out
    assert compare.main([str(repeats[0]), str(better), "--metric", "identity", "--json"]) == 0
    [alone] = json.loads(capsys.readouterr().out)["metrics"]
    assert alone == one  # asking for one metric makes no test easier
    assert one["p"] < one["p_holm"] <= 0.05
    assert compare.main([str(better), str(better), "--metric", "idenity"]) == 2
    assert "Did you mean 'identity'?" in capsys.readouterr().err


def test_the_same_run_differs_in_nothing(repeats: list[Path]) -> None:
    found = compare.compare(read_model(repeats[0]), read_model(repeats[0]))
    assert {(c.difference, c.ci95) for c in found} == {(0.0, (0.0, 0.0))}
    assert {c.verdict for c in found} == {"not separated", "not ranked"}


def test_a_model_trained_with_the_instrument_is_not_ranked(repeats: list[Path], tmp_path: Path) -> None:
    unfair = made_runs.write(
        tmp_path,
        "mine",
        made_runs.blend(0.95),
        change=lambda c: c["run"]["model"].update(trained_with=["made"]),
    )
    found = compare.compare(read_model(repeats[0]), read_model(unfair), only=["identity"])
    assert found[0].verdict == "not ranked"
    assert "† mine was trained with made" in compare.lines(found, "a", "b")


def test_the_baseline_holds_the_measured_spread(base: Path, repeats: list[Path]) -> None:
    made = baseline.read(base)
    for key in ("identity", "id_retrieval", "pose"):
        values = [load(run / "results.json").metrics[key].value or 0.0 for run in repeats[:5]]
        one = made.metrics[key]
        assert one.value == pytest.approx(np.mean(values))
        assert one.sd == pytest.approx(np.std(values, ddof=1))
        assert one.tolerance == pytest.approx(one.factor * one.sd, rel=0.05, abs=1e-4)
    assert made.metrics["pose"].factor > 2.8
    again = base.with_name("again.json")
    assert regress.main(["--baseline", str(again), "--make-from", *map(str, repeats[:5])]) == 0
    assert again.read_bytes() == base.read_bytes()


def test_the_factor_falls_to_iso_5725s() -> None:
    assert baseline.factor(1000, 1, 0.025) == 2.8
    assert baseline.factor(5, 16, 0.01) > baseline.factor(10, 16, 0.01) > baseline.factor(100, 16, 0.01) > 2.8
    # One metric, one side: a new value lies beyond factor * sd of n normal repeats as often as promised.
    rng = np.random.default_rng(0)
    for n, metrics in ((5, 1), (10, 4)):
        draws = rng.normal(size=(200_000, n + 1))
        worse = draws[:, n] - draws[:, :n].mean(axis=1)
        rate = np.mean(worse > baseline.factor(n, metrics, 0.05) * draws[:, :n].std(axis=1, ddof=1))
        assert rate == pytest.approx(min(0.05 / metrics, 0.05), rel=0.15) or rate < 0.05 / metrics


def test_ci_files_are_whole_and_escaped(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = 'mine <b>&"|*'
    run = made_runs.write(tmp_path / "run", "mine", made_runs.blend(0.3), noise=1)
    made_runs.edit_results(run, lambda c: c["run"]["model"].update(name=name))
    assert regress.main(["--baseline", str(base), "--run", str(run), "--out", str(tmp_path / "ci")]) == 4
    [suite] = ElementTree.parse(tmp_path / "ci" / "junit.xml").getroot()
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases)) == "14"
    assert suite.get("failures") == str(len([c for c in cases if c.find("failure") is not None]))
    assert cases[0].get("classname") == f"bench.regress.{name}"
    text = (tmp_path / "ci" / "summary.md").read_text()
    assert capsys.readouterr().out.rstrip() == text.rstrip()
    assert text.startswith('### Face-swap regression check: mine &lt;b&gt;&amp;"\\|\\* got worse in ')
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({line.count("|") - line.count("\\|") for line in table}) == 1


def test_a_vanished_metric_fails(base: Path, tmp_path: Path) -> None:
    run = made_runs.write(tmp_path, "mine", made_runs.blend(), noise=2)
    digest = made_runs.edit_frames(run, lambda data: data.drop(columns=["metric/pose"]))
    made_runs.edit_results(run, lambda c: c["files"].update({"frames.parquet": digest}))
    made_runs.edit_results(run, lambda c: c["metrics"].pop("pose"))
    assert {j.metric for j in judge(baseline.read(base), *read_model(run)) if j.fails(False)} == {"pose"}


def test_a_check_reruns_the_baselines_command(
    base: Path, repeats: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        shutil.copytree(repeats[9].parent, command[command.index("--out") + 1])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert regress.main(["--baseline", str(base), "--out", str(tmp_path), "--", "--workers", "1"]) == 0
    plain = "-m bench.ffpp --no-references --model mine --frames 4 --workers 1 --out"
    assert seen[0][1:] == [*plain.split(), str(tmp_path / "run")]
    made = ["--baseline", str(tmp_path / "new.json"), "--make", "2", "--model", "x:y", "--out", str(tmp_path)]
    assert regress.main([*made, "--", "--limit", "2"]) == 0
    assert [c[c.index("--model") + 1 :] for c in seen[1:]] == [
        ["x:y", "--limit", "2", "--out", str(tmp_path / f"repeat-{i}")] for i in (1, 2)
    ]
    monkeypatch.setattr(subprocess, "run", lambda c, **_: subprocess.CompletedProcess(c, 3))
    assert regress.main(["--baseline", str(base), "--out", str(tmp_path)]) == 3


def test_code_is_not_called_because_a_baseline_names_it(
    base: Path,
    repeats: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forged = tmp_path / "base.json"
    content = json.loads(base.read_text())
    content["results"]["run"]["model"]["spec"] = "mine=os:abort"
    forged.write_text(json.dumps(content))
    seen: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command[command.index("--model") + 1])
        shutil.copytree(repeats[9].parent, command[command.index("--out") + 1], dirs_exist_ok=True)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    judged = ["--baseline", str(forged), "--out", str(tmp_path / "out")]
    assert regress.main(judged) == 2
    assert not seen
    assert "asks to import and call mine=os:abort: name it yourself with --model" in capsys.readouterr().err
    for more in (["--allow-code"], ["--model", "mine=os:abort"]):
        assert regress.main([*judged, *more]) == 0
    assert seen == ["mine=os:abort"] * 2


def test_only_our_own_commands_are_repeated() -> None:
    command = "python -m bench.ffpp --model=a --model b --out 'x y' --json --limit 2 --data '/d e'"
    assert regress.options_of(command) == ["--limit", "2", "--data", "/d e"]
    with pytest.raises(UsageError, match="give --run"):
        regress.options_of("rm -rf /")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read the baseline"),
        ("{", "is not whole JSON"),
        ("[]", "has baseline_version None"),
        ('{"baseline_version": 9}', "has baseline_version 9, this program reads 1"),
        ('{"baseline_version": 1}', "is no baseline: alarm_rate: Field required"),
    ],
)
def test_a_bad_baseline_is_one_line(
    tmp_path: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "base.json"
    if text is not None:
        path.write_text(text)
    assert regress.main(["--baseline", str(path), "--run", str(tmp_path)]) == 3
    error = capsys.readouterr().err
    assert said in error
    assert "make one with python -m bench.regress" in error
    assert error.count("\n") == 1


def test_options_that_do_not_go_together(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (
        ["--run", "x", "--model", "y"],
        ["--make", "2", "--make-from", "x"],
        ["--make-from", str(tmp_path)],
    ):
        assert regress.main(["--baseline", str(base), *wrong]) == 2
    with pytest.raises(SystemExit) as stop:
        regress.main(["--baseline", str(base), "--make", "1"])
    assert stop.value.code == 2
    for program in (regress, compare):
        with pytest.raises(SystemExit) as stop:
            program.main(["--help"])
        assert stop.value.code == 0
    assert "python -m bench.compare runs/ffpp/smoothswap" in capsys.readouterr().out


def test_runs_of_two_models_are_no_repeats(repeats: list[Path], tmp_path: Path) -> None:
    other = made_runs.write(tmp_path, "yours", made_runs.blend())
    paths = map(str, (repeats[0], other))
    assert regress.main(["--baseline", str(tmp_path / "b.json"), "--make-from", *paths]) == 3
    assert not (tmp_path / "b.json").exists()
