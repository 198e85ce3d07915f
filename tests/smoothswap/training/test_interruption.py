"""A training that is killed, that fills its disk, and what it writes down for TensorBoard."""

from __future__ import annotations

import contextlib
import csv
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from smoothswap.checkpoint import DiskError, read_tensors
from smoothswap.train import main
from smoothswap.training.log import Log
from tests.support.forks import FORKS
from tests.support.tiny_models import TINY_EMBEDDER, TINY_SWAPPER, settings


def command(part: str, faces: Path, embedder: Path, out: Path, *more: str) -> list[str]:
    tiny = settings(TINY_EMBEDDER) if part == "embedder" else settings(TINY_SWAPPER)
    fixed = ["--data", str(faces), "--out", str(out), "--threads", "1", "--device", "cpu"]
    return [part, *fixed, *(["--embedder", str(embedder)] if part == "swapper" else []), *tiny, *more]


def child(arguments: list[str], error: Path, largest_file: int = 0) -> None:
    """The command in a process of its own, standard error in a file; files may grow to `largest_file` bytes."""
    torch.set_num_threads(1)
    if largest_file:
        sys.dont_write_bytecode = True  # it would be cut off, kept, and read by others
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    with error.open("a") as file, contextlib.redirect_stderr(file):
        code = main(arguments)
    os._exit(code)


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def last_step(out: Path) -> int:
    """The step of the last whole line of the log; 0 without."""
    try:
        lines = (out / "metrics.csv").read_text().split("\n")[1:-1]
    except FileNotFoundError:
        return 0
    return int(lines[-1].split(",")[0]) if lines else 0


@pytest.mark.slow
@pytest.mark.parametrize(("part", "steps"), [("embedder", 44), ("swapper", 22)])
def test_killed_ten_times_it_ends_the_same(
    part: str, steps: int, faces: Path, embedder_run: Path, tmp_path: Path
) -> None:
    straight, broken, chance = tmp_path / "straight", tmp_path / "broken", random.Random(steps)
    length = ["--steps", str(steps), "--set", "validate_every=7"]
    assert main(command(part, faces, embedder_run, straight, *length)) == 0
    arguments = command(
        part, faces, embedder_run, broken, *length, "--resume", "--checkpoint-seconds", "0.03"
    )
    lost = []
    for kill in range(10):  # in every tenth of the run, at some moment of some step
        process = FORKS.Process(target=child, args=(arguments, tmp_path / "error"))
        process.start()
        wanted, limit = kill * steps // 11 + chance.randint(1, steps // 11), time.monotonic() + 120
        while last_step(broken) < wanted and time.monotonic() < limit:
            assert process.exitcode is None, (tmp_path / "error").read_text()
            time.sleep(0.003)
        time.sleep(chance.uniform(0, 0.05))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        saved = broken / "checkpoint.safetensors"
        lost.append(last_step(broken) - (read_tensors(saved)[1]["step"] if saved.exists() else 0))
    assert max(lost) > 0  # steps were logged that had to be taken again
    assert main(arguments) == 0
    a, b = (read_tensors(out / "checkpoint.safetensors") for out in (straight, broken))
    assert a[0].keys() == b[0].keys()
    assert [k for k in a[0] if not torch.equal(a[0][k], b[0][k])] == []
    assert a[1]["scores"] == b[1]["scores"]
    assert rows(straight) == rows(broken)
    assert [row["step"] for row in rows(broken)] == [str(i + 1) for i in range(steps)]
    pictures = [sorted(p.name for p in (out / "samples").iterdir()) for out in (straight, broken)]
    assert pictures[0] == pictures[1]


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    faces: Path, embedder_run: Path, tmp_path: Path
) -> None:
    """Files may grow to half of a checkpoint only: writing it fails as it does on a full disk."""
    out = tmp_path / "run"
    assert main(command("embedder", faces, embedder_run, out, "--steps", "3")) == 0
    before = (out / "checkpoint.safetensors").read_bytes()
    more = command("embedder", faces, embedder_run, out, "--resume", "--steps", "99")
    process = FORKS.Process(
        target=child, args=([*more, "--checkpoint-seconds", "0"], tmp_path / "error", len(before) // 2)
    )
    process.start()
    process.join(120)
    said = (tmp_path / "error").read_text()
    assert process.exitcode == 4, said
    assert said.count("error:") == 1
    assert f"error: cannot write {out / 'checkpoint.safetensors'} (File too large); free some space" in said
    assert (out / "checkpoint.safetensors").read_bytes() == before
    assert not list(out.glob("*.tmp"))
    assert main([*more, "--steps", "5"]) == 0  # with space again, it goes on
    assert read_tensors(out / "checkpoint.safetensors")[1]["step"] == 5


def test_a_full_disk_under_the_log(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").symlink_to("/dev/full")
    with pytest.raises(DiskError, match=r"cannot write .*metrics\.csv \(No space left on device\)"):
        Log(tmp_path, ["step", "seconds", "loss"]).row(1, 0.5, {"loss": 0.25})


def test_a_line_that_was_cut_off_is_no_row(tmp_path: Path) -> None:
    log = Log(tmp_path, ["step", "seconds", "loss", "auc"])
    log.cut(0)
    for step in range(1, 12):
        log.row(step, step / 10, {"loss": 1 / 3})
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + b"1")  # of a twelfth row: it reads as step 1
    log.cut(11)
    assert log.path.read_bytes() == whole
    assert log.path.read_bytes().startswith(b"step,seconds,loss,auc\r\n1,0.1,0.333333,\r\n")
    log.cut(2)
    assert log.path.read_bytes() == b"step,seconds,loss,auc\r\n1,0.1,0.333333,\r\n2,0.2,0.333333,\r\n"


def test_tensorboard_shows_the_log_and_the_pictures(faces: Path, embedder_run: Path, tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    out = tmp_path / "run"
    assert main(command("embedder", faces, embedder_run, out, "--tensorboard", "--steps", "3")) == 0
    assert (
        main(command("embedder", faces, embedder_run, out, "--tensorboard", "--resume", "--steps", "6")) == 0
    )
    events = reader.EventAccumulator(str(out / "tensorboard"))
    events.Reload()
    logged = rows(out)
    assert sorted(events.Tags()["scalars"]) == sorted(set(logged[0]) - {"step"})
    for name in ("loss", "auc"):
        shown = {e.step: e.value for e in events.Scalars(name)}
        wanted = {int(row["step"]): float(row[name]) for row in logged if row[name]}
        assert shown == pytest.approx(wanted, rel=1e-4)
    pictures = events.Images("samples")
    assert [p.step for p in pictures] == [3, 6]
    assert pictures[0].encoded_image_string.startswith(b"\x89PNG")


def test_tensorboard_that_is_missing_is_named_before_the_first_step(
    faces: Path,
    embedder_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(command("embedder", faces, embedder_run, tmp_path / "run", "--tensorboard")) == 2
    assert "pip install 'smoothswap-bench[tensorboard]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_pictures_of_the_log_are_png(tmp_path: Path) -> None:
    Log(tmp_path, ["step", "seconds"]).picture(12, np.zeros((4, 6, 3), np.uint8))
    assert (tmp_path / "samples" / "000012.png").read_bytes().startswith(b"\x89PNG")
