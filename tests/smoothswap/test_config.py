"""Presets: what they say of the paper, how one starts from another, and what is said of wrong ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from smoothswap.config import (
    PRESETS,
    OptionError,
    SwapperConfig,
    fitted,
    flatten,
    load_preset,
    override,
    preset_names,
    preset_summary,
)

# Read in the paper's text, figures or tables; everything else in paper-256 must say that it is not.
STATED = {
    *("embedder.loss", "embedder.temperature"),
    *(f"embedder.network.{k}" for k in ("backbone", "size", "hidden", "dim", "final_bias")),
    *(f"swapper.{k}" for k in ("lambda_id", "id_views", "id_plain", "id_target", "held_out")),
    *(f"swapper.generator.{k}" for k in ("size", "width", "channel_multipliers", "blocks", "dropout")),
    *(f"swapper.generator.{k}" for k in ("identity_dim", "identity_injection", "shortcut", "patch")),
    *(f"swapper.discriminator.{k}" for k in ("size", "channel_base", "channel_max", "stddev_group")),
    *("embedder.adversarial", "swapper.adv_warmup"),  # off: no such device is mentioned
}
VARIANTS: dict[str, dict[str, Any]] = {
    "lambda1": {"lambda_id": 1.0},
    "adalin": {"generator.identity_injection": "adalin"},
    "map": {"generator.identity_injection": "map"},
}


def write(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return str(path)


def test_the_paper_s_preset_marks_what_is_not_stated() -> None:
    table, stated, marked = "", set(), set()
    for line in (PRESETS / "paper-256.toml").read_text().splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        elif found := re.match(r"(\w+) = ", line):
            key = f"{table}.{found[1]}"
            (marked if "# not stated" in line else stated).add(key)
    assert stated == STATED
    swapper = {f"swapper.{k}" for k in flatten(SwapperConfig()) if k.startswith(("generator", "discrim"))}
    silent = {
        f"swapper.generator.{k}" for k in ("identity_map_size", "identity_map_channels", "checkpointing")
    }
    assert swapper - silent <= stated | marked  # nothing of the networks is left to a default that may move


def test_the_paper_s_preset_is_the_paper() -> None:
    swapper: SwapperConfig = load_preset("paper-256", "swapper")
    assert (swapper.lambda_id, swapper.lambda_chg, swapper.lambda_adv) == (4.0, 1.0, 1.0)
    assert (swapper.generator.width, swapper.generator.channel_multipliers) == (64, (1, 2, 2, 2))
    assert (swapper.id_views, swapper.id_plain, swapper.id_target) == (0, True, "view")
    embedder = load_preset("paper-256", "embedder")
    assert (embedder.temperature, embedder.network.hidden, embedder.network.dim) == (0.07, 1024, 512)


@pytest.mark.parametrize("scale", ["lite-64", "paper-256"])
@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_differs_in_nothing_else(scale: str, variant: str) -> None:
    base = load_preset(scale, "swapper")
    own = flatten(load_preset(f"{scale}-{variant}", "swapper"))
    changed = {k: v for k, v in own.items() if v != flatten(base)[k]}
    changed.pop("generator.identity_map_channels", None)  # the map's own width
    assert changed == VARIANTS[variant]
    assert load_preset(f"{scale}-{variant}", "embedder") == load_preset(scale, "embedder")


@pytest.mark.parametrize("scale", ["lite-64", "paper-256"])
def test_the_arcface_variant_differs_in_the_embedder_s_loss_alone(scale: str) -> None:
    embedder = load_preset(scale, "embedder")
    assert load_preset(f"{scale}-arc", "embedder") == override(embedder, {"loss": "arcface"})
    assert load_preset(f"{scale}-arc", "swapper") == load_preset(scale, "swapper")


def test_a_base_may_be_a_file_beside_and_have_a_base_itself(tmp_path: Path) -> None:
    write(tmp_path, "one", 'base = "lite-64"\n[swapper]\nbatch = 2\nsteps = 5\n')
    (tmp_path / "sub").mkdir()
    two = write(
        tmp_path / "sub", "two", 'base = "../one.toml"\nswapper.steps = 6\nswapper.generator.width = 8\n'
    )
    got, lite = load_preset(two, "swapper"), load_preset("lite-64", "swapper")
    assert (got.batch, got.steps, got.generator.width) == (2, 6, 8)
    assert (got.lr_d, got.generator.resampling) == (lite.lr_d, lite.generator.resampling)
    assert got.generator.size == lite.generator.size != SwapperConfig().generator.size
    assert load_preset(two, "embedder") == load_preset("lite-64", "embedder")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "lite-46"\n', "unknown preset 'lite-46', the base of own.toml; did you mean 'lite-64'?"),
        ("base = 64\n", "base = 64; expected the name of a preset"),
        ('base = "own.toml"\n', "presets are the base of each other: own.toml -> own.toml"),
        ('base = "lite-64"\n[swaper]\nbatch = 2\n', "unknown table [swaper]; did you mean 'swapper'?"),
        ('bass = "lite-64"\n', "unknown table [bass]; did you mean 'base'?"),
        ('base = "lite-64"\n[swapper]\nbatches = 2\n', "unknown option 'batches'; did you mean 'batch'?"),
        ("[swapper.generator]\nidentity_injecton = 1\n", "did you mean 'generator.identity_injection'?"),
        ("[embedder]\nsteps = 2\n", "has no table [swapper]; it has embedder"),
        ("[swapper\n", "is not valid TOML"),
    ],
)
def test_wrong_presets_say_how_to_mend(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        load_preset(write(tmp_path, "own", text), "swapper")


def test_a_circle_of_bases_is_refused(tmp_path: Path) -> None:
    one = write(tmp_path, "one", 'base = "two.toml"\n')
    write(tmp_path, "two", 'base = "three.toml"\n')
    write(tmp_path, "three", 'base = "one.toml"\n')
    with pytest.raises(OptionError, match=r"one\.toml -> two\.toml -> three\.toml -> one\.toml"):
        load_preset(one, "swapper")


def test_the_summary_says_what_each_preset_is_for() -> None:
    lines = preset_summary().splitlines()
    assert [line.split()[0] for line in lines] == preset_names()
    for line in lines:
        assert re.match(r"  [\w-]+ +[A-Z].{20,}\.$", line), line


@pytest.mark.parametrize(
    ("emulated", "given", "device", "wanted"),
    [
        (True, {}, "cpu", "float32"),
        (True, {"precision": "bfloat16"}, "cpu", "bfloat16"),
        (True, {}, "cuda", "bfloat16"),
        (False, {}, "cpu", "bfloat16"),
    ],
)
def test_a_cpu_without_bfloat16_trains_in_float32_and_says_so(
    emulated: bool,
    given: dict[str, str],
    device: str,
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("torch.ops.mkldnn._is_mkldnn_bf16_supported", lambda: not emulated)
    config = load_preset("lite-64", "swapper")
    assert fitted(config, given, device) == override(config, {"precision": wanted})
    assert ("has no bfloat16" in capsys.readouterr().err) == (wanted == "float32")
