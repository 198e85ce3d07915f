"""The recipe of the weights: every stage stands after what it needs, and a run that is killed goes on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from smoothswap import pretrained
from smoothswap.checkpoint import read_tensors
from smoothswap.recipe import main, needed, read_recipe
from smoothswap.train import main as train
from tests.support import ROOT
from tests.support.tiny_models import TINY_EMBEDDER, TINY_SWAPPER, settings

STUDIES = {"smoothswap-lfw-64-arc"}  # an arm of bench.ablation


def test_every_committed_weight_has_its_stage() -> None:
    stages = read_recipe()
    made = {stage.weights for stage in stages.values() if stage.weights}
    assert made | STUDIES == set(pretrained.names())
    for stage in stages.values():
        if stage.weights:
            assert f"--name {stage.weights} " in stage.arguments
            assert needed(stages, stage.name)[-1] == stage.name


def test_what_a_stage_reads_is_what_it_needs() -> None:
    stages = read_recipe()
    writers = {f"{{weights}}/{s.weights}.safetensors": s.name for s in stages.values() if s.weights}
    folders = {s.output.split("/")[1]: s.name for s in stages.values() if s.output.startswith("{runs}/")}
    for stage in stages.values():
        if stage.module == "bench.make_anny.regressor":
            continue  # one working folder for all of its stages
        read = {folders[name] for name in re.findall(r"\{runs\}/([\w-]+)", stage.arguments)}
        read |= {writers[name] for name in re.findall(r"\{weights\}/\S+", stage.arguments)}
        assert read - {stage.name} == set(stage.needs), stage.name


def tiny(folder: Path, faces: Path, steps: int = 6) -> Path:
    """A recipe of three stages: an embedder, a swapper from it, and its export."""
    runs = "{runs}"
    embedder = " ".join(
        ["embedder", "--data", f"'{faces}'", *settings(TINY_EMBEDDER), "--steps", str(steps), "--threads 1"]
    )
    swapper = " ".join(["swapper", "--data", f"'{faces}'", *settings(TINY_SWAPPER), "--threads", "1"])
    path = folder / "recipe.toml"
    path.write_text(f"""
[[stage]]
name = "eye"
module = "smoothswap.train"
arguments = "{embedder} --out {runs}/eye --resume"
output = "{runs}/eye/checkpoint.safetensors"
[[stage]]
name = "hand"
module = "smoothswap.train"
arguments = "{swapper} --out {runs}/hand --embedder {runs}/eye --resume"
output = "{runs}/hand/checkpoint.safetensors"
needs = ["eye"]
[[stage]]
name = "export"
module = "smoothswap.train"
arguments = "export --run {runs}/hand --name tiny --to {{weights}}"
output = "{{weights}}/tiny.safetensors"
needs = ["hand"]
weights = "tiny"
""")
    return path


def places(folder: Path) -> dict[str, str]:
    return {"runs": str(folder / "my runs"), "weights": str(folder / "made")}


def words(recipe: Path, folder: Path) -> list[str]:
    return ["--recipe", str(recipe), *(word for k, v in places(folder).items() for word in (f"--{k}", v))]


@pytest.mark.slow
def test_killed_and_run_again_the_recipe_gives_the_same_bits(
    faces: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny(tmp_path, faces, steps=60)
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    # In this process: a stage is its command and nothing else.
    assert train(read_recipe(recipe)["eye"].command(places(straight))[3:]) == 0
    command = [sys.executable, "-m", "smoothswap.recipe", *words(recipe, broken)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "step 3:" in line)
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert process.returncode == 128 + signal.SIGTERM
    stopped = read_tensors(broken / "my runs" / "eye" / "checkpoint.safetensors")[1]["step"]
    assert 3 <= stopped < 60
    assert main(["--only", "eye", *words(recipe, broken)]) == 0
    assert "[1/1] eye: python -m smoothswap.train embedder" in capfd.readouterr().err
    # What is done is left alone.
    assert main(["--dry-run", *words(recipe, broken)]) == 0
    shown = capfd.readouterr()
    assert "[1/3] eye: done" in shown.err
    assert [line.split()[3] for line in shown.out.splitlines()] == ["swapper", "export"]
    assert main(words(recipe, broken)) == 0
    first, again = (
        read_tensors(place / "my runs" / "eye" / "checkpoint.safetensors")[0] for place in (straight, broken)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert (broken / "made" / "tiny.safetensors").is_file()
    assert list(json.loads((broken / "my runs" / "recipe.json").read_text())) == ["eye", "hand", "export"]
    recipe.write_text(recipe.read_text().replace("--steps 60", "--steps 7"))  # another command is not done
    capfd.readouterr()
    assert main(["--dry-run", *words(recipe, broken)]) == 0
    assert "eye: done" not in capfd.readouterr().err


def test_a_failing_stage_ends_the_recipe_with_its_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--only", "eye", *words(tiny(tmp_path, tmp_path / "no faces"), tmp_path)]) == 2
    assert "error: stage 'eye' ended with code 2" in capfd.readouterr().err
    assert not (tmp_path / "my runs" / "recipe.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[stage", "is no recipe"),
        ('[[stage]]\nname = "a"\nmodule = "m"', "stage 'a' has no 'arguments'"),
        ('[[stage]]\nname = "a"\nneed = []', "unknown key 'need'"),
        (
            '[[stage]]\nname = "a"\nmodule = "bench"\narguments = ""\nneeds = ["b"]',
            "needs 'b', which does not",
        ),
        (
            '[[stage]]\nname = "a"\nmodule = "m"\narguments = ""',
            "module 'm', which is none of this project's",
        ),
        ('[[stage]]\nname = "a"\nmodule = "bench"\narguments = 3', "has arguments = 3, which is no text"),
        (
            '[[stage]]\nname = "a"\nmodule = "bench"\narguments = ""\noutput = "{x}"',
            "has an output that cannot be filled in",
        ),
        ("stage = 3", "stage is no list of tables"),
    ],
)
def test_bad_recipes_are_refused(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    assert main(["--recipe", str(path)]) == 3
    assert message in capsys.readouterr().err


def test_a_misspelt_stage_and_missing_photos_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--only", "recognizer"]) == 2
    assert "Did you mean 'recogniser'?" in capsys.readouterr().err
    assert main(["--lfw", str(tmp_path / "none"), "--runs", str(tmp_path), "--only", "lfw"]) == 3
    assert "--lfw names Labeled Faces in the Wild" in capsys.readouterr().err
