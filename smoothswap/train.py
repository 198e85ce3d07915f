"""Train the embedder and the swapper, and export what was trained.

    python -m smoothswap.train embedder --preset lite-64 --data faces --out runs/embedder
    python -m smoothswap.train swapper  --preset lite-64 --data faces --out runs/swapper --embedder runs/embedder
    python -m smoothswap.train export   --run runs/swapper --name mine-64
    python -m smoothswap.train swapper  --preset paper-256 --dry-run    (what it would cost; needs no data)

A run is stopped by --minutes, SIGTERM, SIGHUP or Ctrl-C with its state saved; --resume takes it up again, bit for bit (on a
CPU; GPUs may sum in another order), also after a kill, from its last checkpoint. Many processes share one batch:

    torchrun --nproc-per-node 8 -m smoothswap.train swapper --preset paper-256 ...   (GPUs: or accelerate launch)

Exit codes: 0 done, 2 usage or data, or --out holds a run, 3 training diverged: its numbers are no longer finite, 4 the disk
is full or cannot be written (the last checkpoint is whole), 5 another rank failed, 128 + n after signal n. torchrun itself
returns 1 when a rank's is not 0.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from smoothswap import export, pretrained
from smoothswap.checkpoint import DiskError
from smoothswap.cli import Parser, at_least, command_with, foresee_folder, real
from smoothswap.config import (
    OptionError,
    fitted,
    flatten,
    load_preset,
    preset_names,
    preset_summary,
)
from smoothswap.data.faces import FaceData
from smoothswap.errors import EXIT_OK, EXIT_USAGE, DataError
from smoothswap.rendered import on_demand
from smoothswap.training import distributed
from smoothswap.training.embedder import EmbedderTask
from smoothswap.training.loop import CHECKPOINT_SECONDS, TrainingError
from smoothswap.training.runs import provenance_of, swapper_run
from smoothswap.training.start import opened, say_other_preset, taken_up

PRESET = "lite-64"
EXAMPLES = """
examples:
  python -m smoothswap.train embedder --preset lite-64 --data rendered:people=2000,views=12 --out runs/embedder
  python -m smoothswap.train swapper --preset lite-64 --data faces --out runs/swapper --embedder runs/embedder
  python -m smoothswap.train swapper --preset paper-256 --dry-run      what it would cost; needs no data
  python -m smoothswap.train export --run runs/swapper --name mine-64
"""


def parser() -> Parser:
    """The command line."""
    top = Parser(
        "python -m smoothswap.train",
        description=__doc__.split("\n")[0],
        epilog=f"{EXAMPLES}\npresets:\n{preset_summary()}\n\n{__doc__.partition('cost; needs no data)')[2].strip()}",
    )
    commands = top.add_subparsers(dest="command", required=True)
    embedder = commands.add_parser("embedder", help="train the embedder", epilog=EXAMPLES)
    swapper = commands.add_parser("swapper", help="train the swapper", epilog=EXAMPLES)
    for part in (embedder, swapper):
        _add_training(part)
        _add_running(part)
    add = swapper.add_argument
    add("--embedder", metavar="EMBEDDER", help="run folder, weights' name or .safetensors path")
    add(
        "--also",
        action="append",
        default=[],
        metavar="EMBEDDER",
        help="another embedder for L_id, may be repeated: L_id is the mean over all of them",
    )
    add(
        "--answers",
        action="append",
        default=[],
        metavar="ANSWERS",
        help="swaps of these people whose answer is known (smoothswap.stand_ins), for --set answers=N of a batch; may be "
        "repeated",
    )
    add("--judge", metavar="EMBEDDER", help="a second embedder, for validation only")
    export.add_options(
        commands.add_parser("export", help="write weights and card from a run", epilog=EXAMPLES)
    )
    return top


def _add_training(part: argparse.ArgumentParser) -> None:
    add = part.add_argument_group("what is trained").add_argument
    add("--preset", help=f"{', '.join(preset_names())}, or a .toml file ({PRESET})")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="option, may be repeated")
    add(
        "--data",
        metavar="FACES",
        help="folder of faces.npy: rendered, or from smoothswap.prepare; or rendered:people=2000,views=12,seed=1000,"
        "makeover=0.8, made on first use and cached",
    )
    add("--out", type=Path, metavar="RUN", help="folder of the run")
    add("--resume", action="store_true", help="go on from the checkpoint in --out, if there is one")
    add(
        "--start",
        type=Path,
        metavar="RUN",
        help="begin with the networks of another run of the same shapes, or of weights (by name or path); steps, "
        "optimisers and draws begin anew",
    )
    add(
        "--steps", type=at_least(0), metavar="N", help="planned steps; the learning rate's decay follows them"
    )


def _add_running(part: argparse.ArgumentParser) -> None:
    add = part.add_argument_group("running").add_argument
    add("--minutes", type=real(0), metavar="M", help="stop (and save) after this wall time")
    add(
        "--checkpoint-seconds",
        type=real(0),
        default=CHECKPOINT_SECONDS,
        metavar="S",
        help="save the state every S seconds, after whole steps; 0: after every step (%(default)g)",
    )
    add(
        "--threads",
        type=at_least(1),
        default=2,
        metavar="N",
        help="CPU threads of each process (%(default)s)",
    )
    add(
        "--device",
        default="auto",
        help="auto: a GPU if there is one (default); cpu, cuda, cuda:1; under torchrun, cuda is a GPU for each rank",
    )
    add("--tensorboard", action="store_true", help="log for TensorBoard too, to OUT/tensorboard")
    add("--dry-run", action="store_true", help="print parameters, FLOPs, memory and time; train nothing")
    add("--json", action="store_true", help="with --dry-run: one JSON object")
    add(
        "--time-steps",
        type=at_least(0),
        default=2,
        metavar="N",
        help="with --dry-run: steps to time; 0: none",
    )


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in args.set:
        key, equals, value = item.partition("=")
        if not equals:
            raise OptionError(f"--set {item}: expected KEY=VALUE")
        values[key] = value
    if args.steps is not None:
        values["steps"] = args.steps
    return values


def train(args: argparse.Namespace, given: Sequence[str]) -> int:
    """The exit code of a training, or of its --dry-run: 0 when done, 128 + n after signal n.

    Args:
        args: The parsed options; args.command is "embedder" or "swapper".
        given: The words of the command line, kept in the provenance.

    Raises:
        OptionError: --data, --out or --embedder is missing, or an option is wrong.
        DataError: --resume finds a run of other data; one of the other part is a CheckpointError.
    """
    torch.set_num_threads(args.threads)
    if args.dry_run:  # one process, on the CPU
        from smoothswap.training import dry_run  # its counter of operations loads a compiler

        config = fitted(load_preset(args.preset or PRESET, args.command), _settings(args))
        dry_run.run(args.preset or PRESET, config, args.time_steps, args.json)
        return EXIT_OK
    missing = [f"--{k}" for k in ("data", "out", "embedder") if getattr(args, k, "") is None]
    if missing:
        raise OptionError(f"training needs {', '.join(missing)}; only --dry-run goes without")
    device = distributed.join(args.device)
    torch.set_num_threads(args.threads)  # which accelerate sets as well
    distributed.lead(lambda: foresee_folder(args.out))
    checkpoint = args.out / "checkpoint.safetensors"
    resume = args.resume and checkpoint.exists()
    history: list[Any] = []
    if resume:  # the run's own options, then --set; the preset was used at the start
        base, stored = taken_up(checkpoint, args.command)
        history = stored["provenance"].get("history", [])
    else:
        base = load_preset(args.preset or PRESET, args.command)
    config = fitted(base, _settings(args), device.type)
    if resume and args.preset and distributed.rank() == 0:
        say_other_preset(args.out, args.preset, config, _settings(args))
    if resume:
        old, new = flatten(base), flatten(config)
        changed = {k: [old[k], new[k]] for k in new if old[k] != new[k]}
        history = history + ([{"step": stored["step"], "changed": changed}] if changed else [])
    network = config.network if args.command == "embedder" else config.generator
    folder = args.data
    if folder.startswith(on_demand.PREFIX):
        distributed.lead(lambda: on_demand.ensure(args.data, network.size))
        folder = str(on_demand.folder(args.data, network.size))
    data = FaceData(folder, network.size, config.held_out)
    command = shlex.join(["python", "-m", "smoothswap.train", *given])
    provenance = provenance_of(command, data, args.threads, device)
    provenance["history"] = history
    if resume and stored["provenance"]["data"]["sha256"] != provenance["data"]["sha256"]:
        raise DataError(
            f"{data.path} is not the data of {args.out}; give the same --data, or start another run"
        )
    of_run = {"checkpoint_seconds": args.checkpoint_seconds, "tensorboard": args.tensorboard}
    if args.command == "embedder":
        task = EmbedderTask(config, data, provenance, device)
        run = opened(args.out, task, resume, args.start, **of_run)
    else:
        judge = pretrained.load_embedder(args.judge)[0] if args.judge else None
        run = swapper_run(
            args.out,
            config,
            data,
            args.embedder,
            provenance,
            resume,
            judge,
            device,
            also=args.also,
            answers=args.answers,
            start=args.start,
            **of_run,
        )
    run.train(args.minutes)
    if distributed.rank() == 0:
        done = f"{run.done} of {config.steps} steps, {run.seconds / 60:.1f} minutes"
        print(f"{args.out}: {done}; {run.scores}", file=sys.stderr)
    return 128 + run.stop_signal if run.stop_signal else 0


CODES = {TrainingError: 3, DiskError: 4, DataError: EXIT_USAGE, ValueError: EXIT_USAGE}


@command_with(CODES, stopped="stopped before the first step")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(given)
    try:
        return export.run(options) if options.command == "export" else train(options, given)
    except distributed.PeerError:  # the other rank has said why
        return 5
    except TrainingError:  # the same on all ranks, said by one
        if distributed.rank() == 0:
            raise
        return CODES[TrainingError]
    except ValueError:  # options, data, checkpoints and weights raise ValueErrors that explain themselves
        if distributed.rank() == 0:
            raise
        print(f"rank {distributed.rank()}: ", end="", file=sys.stderr)
        raise
    finally:
        distributed.leave()


if __name__ == "__main__":
    sys.exit(main())
