"""What a training will cost, before it starts: parameters, FLOPs, memory, time (`smoothswap.train ... --dry-run`).

Nothing is modelled: the task's own step runs on random faces, once of each kind (with and without R1, with and without an
attack), at the planned batch or at what a core does in seconds of it, and what it took is scaled to the planned batch.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import time
import weakref
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.module_tracker import ModuleTracker

from smoothswap.config import EmbedderConfig, SwapperConfig, load_preset, preset_tables
from smoothswap.data.faces import FaceData
from smoothswap.networks.discriminator import Discriminator
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator
from smoothswap.networks.options import EmbedderOptions
from smoothswap.training.embedder import EmbedderTask
from smoothswap.training.swapper import SwapperTask

MEASURED_FLOPS = 5e11  # of a measured step, or those of the smallest batch that the losses allow
METHODS = {
    "flops": "counted by torch's FlopCounterMode on convolutions and matrices, a multiply-add as 2, backward passes and "
    "recomputation included; attention on a CPU is not counted (below 1 %)",
    "memory": "weights, gradients and optimiser state are exact, in the networks' own types; activations are the peak of "
    "all tensors alive that a step made, scaled from measured_batch (with gradient caching by the chunk); scratch space "
    "inside an operation, the data, the interpreter, and a loss's weights for every person of the data come on top",
    "time": "the commonest kind of step is timed (once, while it is counted, where it is above 0.5 TFLOP) and the "
    "others follow by their FLOPs, scaled from measured_batch; validation, pictures and checkpoints come on top",
}


class RandomFaces(FaceData):
    """Noise in place of a data set: uint8 [people * views, size, size, 3], the last two people held out."""

    def __init__(self, people: int, views: int, size: int) -> None:
        faces = np.random.default_rng(0).integers(0, 256, (people * views, size, size, 3), np.uint8)
        self._take(faces, np.repeat(np.arange(people), views), np.arange(people) >= people - 2)
        self.meta = {}


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of tensors that operations make while it is active: those alive `now`, and their `peak`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        for x in tree_leaves((args, kwargs)):  # what was there before, such as weights, is not counted
            self._see(x, counted=False)
        out = func(*args, **(kwargs or {}))
        for x in tree_leaves(out):
            self._see(x, counted=True)
        return out

    def _see(self, x: Any, counted: bool) -> None:
        if not isinstance(x, Tensor):
            return
        storage = x.untyped_storage()
        key, size = storage._cdata, storage.nbytes() if counted else 0
        if key in self.known:  # a view, or the result of an operation in place
            return
        self.known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


class WholeStep(ModuleTracker):
    """No split by module: its hooks sit on leaves, which torch.autograd.grad (R1, the attack) does not allow."""

    def __enter__(self) -> WholeStep:
        return self

    def __exit__(self, *args: object) -> None:
        pass


def parameters(module: type[nn.Module], options: Any) -> int:
    """Parameters of a network, counted without memory for them.

    Args:
        module: The network's class.
        options: What it is made from.

    Returns:
        How many numbers are trained; BatchNorm's running statistics are none.
    """
    with torch.device("meta"):
        return sum(p.numel() for p in module(options).parameters())


def faces_a_batch(config: EmbedderConfig | SwapperConfig) -> int:
    """Pictures that one step of training reads."""
    return config.batch if isinstance(config, SwapperConfig) else config.people * config.photos


def smaller(config: Any, faces: int) -> Any:
    """A configuration with at most `faces` pictures a batch, or as few more as its losses need.

    Args:
        config: EmbedderConfig or SwapperConfig; stays as it is.
        faces: 1 or more.

    Returns:
        One of the same class, not compiled, its batch no larger than that of `config`. An embedder's that
        shrank and is chunked has two chunks or more.
    """
    if isinstance(config, SwapperConfig):
        batch = min(config.batch, max(faces, config.self_pairs, 1))
        return dataclasses.replace(config, batch=batch, compile=False)
    people = min(config.people, max(faces // config.photos, 2))
    batch, chunk = people * config.photos, config.chunk
    if chunk and people < config.people:  # two parts: the second forward costs the same whatever their number
        chunk = batch // 2 if batch % 2 == 0 else config.photos
    neighbours = math.gcd(
        config.neighbours, people
    )  # it has to divide the people, and costs nothing that is measured
    return dataclasses.replace(config, people=people, neighbours=neighbours, chunk=chunk, compile=False)


def faces_at_once(config: EmbedderConfig | SwapperConfig) -> int:
    """Pictures whose activations are kept at the same time: a chunk under gradient caching, else the batch."""
    chunk = config.chunk if isinstance(config, EmbedderConfig) else 0
    return min(chunk or faces_a_batch(config), faces_a_batch(config))


def kinds(config: EmbedderConfig | SwapperConfig) -> dict[int, float]:
    """The kinds of step that differ in cost: the number of one such step, and the kind's share of all steps."""
    if isinstance(config, SwapperConfig):
        regularised = 1 / config.r1_every if config.r1_every > 0 and config.r1_weight > 0 else 0.0
        found = {1: 1 - regularised, 0: regularised}
    else:
        start = min(config.adversarial_start, config.steps) if config.adversarial else config.steps
        found = {start: 1 - start / config.steps, 0: start / config.steps} if start else {0: 1.0}
    return {step: share for step, share in found.items() if share > 0}


def make_task(config: Any, network: EmbedderOptions) -> EmbedderTask | SwapperTask:
    """The task of a part on random faces; a swapper reads an untrained embedder.

    Args:
        config: EmbedderConfig or SwapperConfig.
        network: The options of the swapper's embedder; those of an embedder's training are in its `config`.

    Returns:
        A task on the CPU, which can take a step but has no scores worth reading.
    """
    if isinstance(config, EmbedderConfig):
        return EmbedderTask(config, RandomFaces(config.people + 2, config.photos, config.network.size), {})
    return SwapperTask(config, RandomFaces(4, 2, config.generator.size), Embedder(network), {})


def measure(task: EmbedderTask | SwapperTask, step: int) -> tuple[int, int, float]:
    """Take one step and count what it costs.

    Args:
        task: What takes it; its networks and optimisers change.
        step: The step's number, from 0, on which its kind depends (kinds).

    Returns:
        FLOPs, a multiply-add as 2; the peak of the bytes of tensors that the step made; seconds, counting
        included.
    """
    print(f"measuring a step at batch {faces_a_batch(task.config)}", file=sys.stderr)
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = WholeStep()
    begin = time.perf_counter()
    with counter, LiveBytes() as live:
        task.step(step)
    return counter.get_total_flops(), live.peak, time.perf_counter() - begin


def _bytes(tensors: Any) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)


def _memory(task: EmbedderTask | SwapperTask, activations: int) -> dict[str, int]:
    networks = list(task.modules.values()) + ([task.embedder] if isinstance(task, SwapperTask) else [])
    trained = [p for o in task.optimisers.values() for group in o.param_groups for p in group["params"]]
    states = [v for o in task.optimisers.values() for s in o.state.values() for v in s.values()]
    found = {
        "weights": sum(_bytes(n.parameters()) + _bytes(n.buffers()) for n in networks),
        "gradients": _bytes(p for p in trained if p.requires_grad),
        "optimiser": _bytes(v for v in states if isinstance(v, Tensor)),
        "activations": activations,
    }
    return {**found, "total": sum(found.values())}


def estimate(preset: str, config: EmbedderConfig | SwapperConfig, time_steps: int = 2) -> dict[str, Any]:
    """What training `config` costs, as an object for JSON.

    Args:
        preset: The preset that the other part is taken from, by name or path.
        config: The part that is trained.
        time_steps: Steps to time; 0: none.

    Returns:
        part, preset, generator_parameters, discriminator_parameters, embedder_parameters (None where the
        preset has no such part), size [px], batch [faces], precision, steps, flops_per_step, memory_bytes (by
        what holds them, and `total`), measured_batch, threads, timed_steps, seconds_per_step,
        expected_seconds (both None where no step is timed), methods.
    """
    part = "swapper" if isinstance(config, SwapperConfig) else "embedder"
    both: dict[str, Any] = {p: load_preset(preset, p) for p in preset_tables(preset)} | {part: config}
    network = both["embedder"].network if "embedder" in both else EmbedderOptions()
    if isinstance(config, SwapperConfig):  # an embedder that fits, whatever --set says of the generator
        network = dataclasses.replace(network, size=config.generator.size, dim=config.generator.identity_dim)
    players: dict[str, type[nn.Module]] = {"generator": Generator, "discriminator": Discriminator}
    counts: dict[str, int | None] = {f"{k}_parameters": None for k in (*players, "embedder")}
    if "swapper" in both:
        counts |= {f"{k}_parameters": parameters(m, getattr(both["swapper"], k)) for k, m in players.items()}
    if "embedder" in both:
        counts["embedder_parameters"] = parameters(Embedder, network)
    shares = kinds(config)
    common = max(shares, key=lambda step: shares[step])
    least = smaller(config, 1)
    task = make_task(least, network)
    measured = {common: measure(task, common)}
    wanted = smaller(config, int(MEASURED_FLOPS * faces_a_batch(least) / max(measured[common][0], 1)))
    if wanted != least:
        task, measured = make_task(wanted, network), {}
    measured |= {step: measure(task, step) for step in shares if step not in measured}
    scale = faces_a_batch(config) / faces_a_batch(wanted)
    size = config.generator.size if isinstance(config, SwapperConfig) else config.network.size
    held = faces_at_once(config) / faces_at_once(wanted)
    activations = max(peak for _, peak, _ in measured.values()) * held
    if (
        held < scale
    ):  # of the rest of the batch a chunked step holds the pictures, some three times in augmentation
        activations += 3 * (faces_a_batch(config) - faces_a_batch(wanted)) * 3 * size**2 * 4
    mean = sum(measured[step][0] * share for step, share in shares.items())
    report: dict[str, Any] = {
        "part": part,
        "preset": preset,
        **counts,
        "size": size,
        "batch": faces_a_batch(config),
        "precision": config.precision,
        "steps": config.steps,
        "flops_per_step": round(mean * scale),
        "memory_bytes": _memory(task, round(activations)),
        "measured_batch": faces_a_batch(wanted),
        "threads": torch.get_num_threads(),
        "timed_steps": time_steps,
        "seconds_per_step": None,
        "expected_seconds": None,
        "methods": METHODS,
    }
    if time_steps > 0:
        flops, _, seconds = measured[common]
        if flops >= MEASURED_FLOPS:  # seconds long, beside which counting is nothing: it need not run again
            report["timed_steps"] = 1
        else:
            print(f"timing {time_steps} steps at batch {faces_a_batch(wanted)}", file=sys.stderr)
            begin = time.perf_counter()
            for _ in range(time_steps):
                task.step(common)
            seconds = (time.perf_counter() - begin) / time_steps
        seconds *= scale * mean / flops
        report |= {"seconds_per_step": seconds, "expected_seconds": seconds * config.steps}
    return report


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} seconds"


def text(report: dict[str, Any]) -> str:
    """The estimate for people to read."""
    r, gib = report, {k: f"{v / 2**30:.2f}" for k, v in report["memory_bytes"].items()}
    counts = {k: r[f"{k}_parameters"] for k in ("generator", "discriminator", "embedder")}
    shown = ", ".join(f"{k} {v / 1e6:.2f} M" for k, v in counts.items() if v is not None)
    spent = "not timed"
    if r["seconds_per_step"] is not None:
        spent = (
            f"{_duration(r['expected_seconds'])} ({r['seconds_per_step']:.2f} s a step: {r['timed_steps']} timed at batch "
            f"{r['measured_batch']}, {r['threads']} CPU threads)"
        )
    lines = {
        "training": f"{r['part']} of {r['preset']}, {r['size']} px, batch {r['batch']}, {r['precision']}",
        "parameters": shown,
        "FLOPs": f"{r['flops_per_step'] / 1e9:,.1f} G a step",
        "memory": f"{gib['total']} GiB: weights {gib['weights']}, gradients {gib['gradients']}, optimiser "
        f"{gib['optimiser']}, activations {gib['activations']}",
        "steps": f"{r['steps']:,}",
        "time": spent,
    }
    return "\n".join(f"{name:<11} {value}" for name, value in lines.items())


def run(preset: str, config: EmbedderConfig | SwapperConfig, time_steps: int, as_json: bool) -> None:
    """Print the estimate to standard output; how it was made goes to standard error.

    Args:
        preset: As for estimate().
        config: As for estimate().
        time_steps: As for estimate().
        as_json: One JSON object, `methods` in it, instead of lines to read.
    """
    report = estimate(preset, config, time_steps)
    if not as_json:
        print("\n".join(f"{name}: {how}" for name, how in METHODS.items()), file=sys.stderr)
    print(json.dumps(report, indent=1) if as_json else text(report))
