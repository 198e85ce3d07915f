"""The estimate of --dry-run: its keys, what it counts against counts by hand, and that it needs neither data nor run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from smoothswap.config import EmbedderConfig, SwapperConfig, load_preset, override, preset_names
from smoothswap.train import main, parser
from smoothswap.training import dry_run
from smoothswap.training.dry_run import (
    LiveBytes,
    estimate,
    faces_a_batch,
    faces_at_once,
    kinds,
    smaller,
)
from tests.support.tiny_models import TINY_EMBEDDER, TINY_SWAPPER, settings

TINY = {
    "swapper": [*TINY_SWAPPER, 'precision="float32"', "id_views=1"],
    "embedder": [*TINY_EMBEDDER, 'precision="float32"', "adversarial=0.05", "adversarial_start=2"],
}


@pytest.fixture
def preset(tmp_path: Path) -> str:
    """A preset of both parts that trains in a second."""
    path = tmp_path / "tiny.toml"
    lines = [line for part in TINY for line in (f"[{part}]", *TINY[part])]
    path.write_text("\n".join(['base = "lite-64"', *lines, ""]))
    return str(path)


def cost(preset: str, part: str, time_steps: int = 0, **changes: Any) -> dict[str, Any]:
    return estimate(preset, override(load_preset(preset, part), changes), time_steps)


@pytest.mark.parametrize("part", ["embedder", "swapper"])
def test_json_is_one_object_and_nothing_else(
    part: str,
    preset: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main([part, "--preset", preset, "--dry-run", "--json", "--threads", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    expected = {
        *("part", "preset", "generator_parameters", "discriminator_parameters", "embedder_parameters"),
        *("size", "batch", "precision", "steps", "flops_per_step", "memory_bytes", "measured_batch"),
        *("threads", "timed_steps", "seconds_per_step", "expected_seconds", "methods"),
    }
    assert report.keys() == expected
    assert (report["part"], report["preset"], report["steps"]) == (part, preset, 6)
    assert report["batch"] == report["measured_batch"] == (3 if part == "swapper" else 8)
    assert report["expected_seconds"] == pytest.approx(6 * report["seconds_per_step"])
    assert report["seconds_per_step"] > 0
    assert not list(Path.cwd().iterdir())  # nothing is written


@pytest.mark.parametrize("part", ["embedder", "swapper"])
def test_text_goes_out_and_notes_go_to_standard_error(
    part: str, preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [part, "--preset", preset, "--dry-run", "--threads", "1", "--time-steps", "0"]
    assert main([*arguments, *settings(["steps=1234"])]) == 0
    said = capsys.readouterr()
    names = [line.split()[0] for line in said.out.splitlines()]
    assert names == ["training", "parameters", "FLOPs", "memory", "steps", "time"]
    assert "not timed" in said.out
    assert "1,234" in said.out
    assert "measuring a step at batch" in said.err
    assert "multiply-add as 2" in said.err


def test_the_paper_s_networks_are_counted_without_being_built() -> None:
    swapper, embedder = load_preset("paper-256", "swapper"), load_preset("paper-256", "embedder")
    count = dry_run.parameters
    assert count(dry_run.Generator, swapper.generator) == 10_094_147
    assert round(count(dry_run.Discriminator, swapper.discriminator) / 1e6, 2) == 28.86
    assert round(count(dry_run.Embedder, embedder.network) / 1e6, 2) == 26.13


def test_memory_that_is_exact_is_exact(preset: str) -> None:
    report = cost(preset, "swapper")
    g, d, e = (report[f"{k}_parameters"] for k in ("generator", "discriminator", "embedder"))
    memory, network = report["memory_bytes"], dry_run.Embedder(load_preset(preset, "embedder").network)
    assert e == sum(p.numel() for p in network.parameters())
    buffers = sum(b.numel() * b.element_size() for b in network.buffers())
    assert memory["weights"] == 4 * (2 * g + d + e) + buffers  # generator and its average
    assert memory["gradients"] == 4 * (g + d)
    tensors = 2 * 4 * (g + d)  # Adam's two moments, and a step count a tensor
    assert tensors < memory["optimiser"] < 1.1 * tensors
    assert memory["total"] == sum(v for k, v in memory.items() if k != "total")


def test_activations_and_flops_follow_batch_and_checkpointing(preset: str) -> None:
    small, large = (cost(preset, "swapper", batch=n, r1_weight=0.0) for n in (2, 8))
    assert large["flops_per_step"] == pytest.approx(4 * small["flops_per_step"], rel=0.01)
    ratio = large["memory_bytes"]["activations"] / small["memory_bytes"]["activations"]
    assert 2 < ratio <= 4  # gradients are in it, and they do not grow
    saving = cost(preset, "swapper", batch=8, r1_weight=0.0, **{"generator.checkpointing": True})
    assert saving["memory_bytes"]["activations"] < large["memory_bytes"]["activations"]
    assert saving["flops_per_step"] > large["flops_per_step"]  # the second forward


def test_what_is_measured_small_is_scaled(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cost(preset, "swapper", 1, batch=8, r1_weight=0.0)
    monkeypatch.setattr(dry_run, "MEASURED_FLOPS", 1.0)
    scaled = cost(preset, "swapper", 5, batch=8, r1_weight=0.0)
    assert (whole["measured_batch"], scaled["measured_batch"]) == (8, 1)
    assert scaled["flops_per_step"] == pytest.approx(whole["flops_per_step"], rel=0.01)
    assert scaled["memory_bytes"]["activations"] >= whole["memory_bytes"]["activations"]
    assert scaled["timed_steps"] == 1  # a long step is timed as it is counted
    assert scaled["expected_seconds"] > 0


def test_flops_of_a_step_by_hand(preset: str) -> None:
    """An embedder of known layers: forward, and backward to weights and, but for the first, to inputs."""
    plain = {"adversarial": 0.0, "augment.blur": 0.0}
    network = dry_run.Embedder(load_preset(preset, "embedder").network).eval()
    sizes: list[tuple[nn.Module, torch.Size]] = []
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(lambda m, _i, out: sizes.append((m, out.shape)))
    network(torch.zeros(1, 3, 16, 16))
    products = [m.weight[0].numel() * shape[1:].numel() for m, shape in sizes]  # type: ignore[index,operator]
    similarities = 3 * 8 * 8 * 8  # z z^T of 8 faces and 8 numbers, and its two gradients
    by_hand = 2 * (8 * (3 * sum(products) - products[0]) + similarities)
    assert cost(preset, "embedder", **plain)["flops_per_step"] == by_hand


def test_gradient_caching_costs_a_forward_and_saves_activations(
    preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "MEASURED_FLOPS", 1.0)  # so that 2 people stand for 20
    more = {"people": 20, "photos": 4, "adversarial": 0.0, "augment.blur": 0.0}
    plain, cached = (cost(preset, "embedder", chunk=n, **more) for n in (0, 8))
    assert plain["measured_batch"] == cached["measured_batch"] == 8
    assert (
        1.2 < cached["flops_per_step"] / plain["flops_per_step"] < 1.5
    )  # four passes' worth in place of three
    assert cached["memory_bytes"]["activations"] < 0.5 * plain["memory_bytes"]["activations"]


def test_the_swapper_s_embedder_fits_the_generator() -> None:
    changes = {
        "generator.size": 32,
        "generator.width": 4,
        "generator.identity_dim": 12,
        "discriminator.size": 32,
    }
    report = cost(
        "lite-64", "swapper", batch=1, r1_weight=0.0, **changes, **{"discriminator.channel_base": 64}
    )
    assert report["size"] == 32
    assert report["embedder_parameters"] == 922_232 - (256 - 12) * (
        512 + 1 + 2
    )  # a narrower last layer and norm


def test_parts_that_a_preset_lacks_are_null(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text("\n".join(["[embedder]", *TINY["embedder"], 'network.backbone="lite"', ""]))
    report = cost(str(path), "embedder")
    assert report["embedder_parameters"] > 0
    assert report["generator_parameters"] is report["discriminator_parameters"] is None
    assert "generator" not in dry_run.text(report)


def test_live_bytes_counts_what_is_alive_once() -> None:
    before = torch.ones(1000)
    with LiveBytes() as live:
        a = before * 2  # 4000 bytes
        a.view(10, 100).t().add_(1)  # a view and an operation in place: nothing new
        before.add_(1)
        before.view(10, 100)
        assert live.now == 4000
        b = torch.cat([a, a])  # 8000 more
        del a
        assert live.now == 8000
        assert live.peak == 12000
        del b
    assert live.now == 0


def test_kinds_of_steps_and_their_shares() -> None:
    assert kinds(SwapperConfig(r1_every=4)) == {1: 0.75, 0: 0.25}
    assert kinds(SwapperConfig(r1_every=1)) == {0: 1.0}
    assert kinds(SwapperConfig(r1_weight=0.0)) == {1: 1.0}
    assert kinds(EmbedderConfig(steps=10, adversarial=0.1, adversarial_start=4)) == {4: 0.6, 0: 0.4}
    assert kinds(EmbedderConfig(steps=10, adversarial=0.1)) == {0: 1.0}  # attacked from the start
    assert kinds(EmbedderConfig(steps=10, adversarial=0.1, adversarial_start=90)) == {0: 1.0}
    assert kinds(EmbedderConfig(adversarial_start=90)) == {0: 1.0}


def test_smaller_batches_stay_possible() -> None:
    hard = load_preset("rendered-64", "embedder")  # its batches are drawn as four neighbours each
    assert [smaller(hard, n).people % smaller(hard, n).neighbours for n in (0, 40, 9999)] == [0, 0, 0]
    assert [faces_a_batch(smaller(SwapperConfig(batch=8, self_pairs=2), n)) for n in (0, 5, 99)] == [2, 5, 8]
    paper = EmbedderConfig(people=64, photos=4)
    assert [faces_a_batch(smaller(paper, n)) for n in (0, 30, 9999)] == [8, 28, 256]
    cached = EmbedderConfig(people=64, photos=3, chunk=48)
    assert [smaller(cached, n).chunk for n in (0, 9, 999)] == [
        3,
        3,
        48,
    ]  # 6 and 9 faces in equal parts; the batch
    assert [faces_at_once(smaller(cached, n)) for n in (0, 999)] == [3, 48]


def test_training_itself_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["swapper"]) == 2
    assert "training needs --data, --out, --embedder; only --dry-run goes without" in capsys.readouterr().err
    assert all(name in parser().format_help() for name in preset_names())
