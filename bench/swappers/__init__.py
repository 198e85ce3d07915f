"""The registry of swappers: from what a user writes after --model to something that swaps.

copy-target  blur  stranger  copy-source  classical
smoothswap  smoothswap:NAME                 the weights for these data; weights by name or path
oracle  Deepfakes  FaceShifter ...          any folder of manipulated_sequences
images:DIR                                  anybody's finished swaps
list  list:COLUMN                           those that a pair list names in its column (swap)
crops:DIR?template=ffhq&size=256            the same as aligned crops (bench.data.templates)
package.module:factory                      factory() returns a crop or frame swapper
NAME                                        an entry point of the group smoothswap.models
NAME=any of these                           under another name in the tables
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.data.ffpp import FFPP_METHODS
from bench.data.numbering import parse
from bench.data.pairs import Dataset
from bench.errors import DataError, UsageError, suggestion
from bench.swappers.base import CropSwapper, FinishedSwapper, FrameSwapper, Image, SwapError, Swapper, Task
from bench.swappers.published import marked
from reports.results import REFERENCES
from smoothswap.plumbing.names import is_plain, one_form, plain_name, refuse_name

__all__ = ["BUILT_IN", "REFERENCES", "Image", "SwapError", "Swapper", "Task", "create", "create_all", "known"]

GROUP = "smoothswap.models"
BUILT_IN = {
    "copy-target": "the target untouched: the end of the scale where nothing is swapped",
    "blur": "the target's face blurred until nobody is recognised: what leaving the target scores by itself",
    "stranger": "a third person's aligned face pasted in: what anybody's face scores; needs three people",
    "copy-source": "the source's aligned face pasted in: the end of the scale where everything is",
    "classical": "landmark warp, colour transfer and Poisson blending with OpenCV",
    "smoothswap": "the paper's model with the committed weights that fit the data, rendered or photographs",
    "oracle": "the true swap; needs data that has it (rendered faces)",
}
# Ours that need no argument are entry points too, read by the same code; they stand here so that a checkout never depends
# on what was installed when.
OURS = (
    importlib.metadata.EntryPoint("copy-target", "bench.swappers.references:CopyTarget", GROUP),
    importlib.metadata.EntryPoint("blur", "bench.swappers.references:Blur", GROUP),
    importlib.metadata.EntryPoint("stranger", "bench.swappers.references:Stranger", GROUP),
    importlib.metadata.EntryPoint("copy-source", "bench.swappers.references:CopySource", GROUP),
    importlib.metadata.EntryPoint("classical", "bench.swappers.classical:Classical", GROUP),
)


def known(dataset: Dataset | None = None) -> list[str]:
    """Every name that --model understands, without the forms that take an argument."""
    here = dataset.manipulations() if dataset else []
    return list(dict.fromkeys([*BUILT_IN, *FFPP_METHODS, *here, *(entry.name for entry in entry_points())]))


def entry_points() -> list[importlib.metadata.EntryPoint]:
    return sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: entry.name)


def create_all(
    specs: list[str],
    dataset: Dataset,
    device: str = "cpu",
    order: str = "target_source",
    numbers: str = "as-named",
) -> list[Swapper]:
    """Create the swappers of one run.

    Args:
        specs: What `--model` said, each as `create` takes it.
        dataset: The run's.
        device: Where models of ours run, as torch names it.
        order: What the names of finished swaps say first, of images:DIR without an order of its own.
        numbers: What the numbers of their frames mean, likewise.

    Returns:
        The swappers, in the order of `specs`.

    Raises:
        UsageError: When two would have the same name, capitals aside, or one cannot be created.
        DataError: When the clips of one are not in `dataset`.
    """
    swappers = [create(spec, dataset, device, order, numbers) for spec in specs]
    names = [swapper.name.lower() for swapper in swappers]
    for swapper in swappers:
        if names.count(swapper.name.lower()) > 1:
            raise UsageError(
                f"two models are called {swapper.name!r}: name one of them, --model NAME={swapper.spec}"
            )
    return swappers


def declare(swappers: list[Swapper], declarations: list[str]) -> list[Swapper]:
    """Add to swappers what --trained-with declares of them.

    Args:
        swappers: Those of the run.
        declarations: MODEL=FAMILY,FAMILY each, MODEL being a swapper's name in the tables.

    Returns:
        The swappers in their order; where something was declared, info["trained_with"] has it after what the
        model says of itself.

    Raises:
        UsageError: For another form, or a model that is not one of `swappers`.
    """
    known = {swapper.name: swapper for swapper in swappers}
    for text in declarations:
        name, equals, families = text.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"--trained-with takes MODEL=FAMILY, as {next(iter(known), 'mine')}=arcface, not {text!r}."
                f"{suggestion(name, list(known))} The models of this run: {', '.join(known)}"
            )
        old = known[name]
        added = _families([part.strip() for part in families.split(",")], text)
        both = list(dict.fromkeys([*old.info.get("trained_with", []), *added]))
        known[name] = replace(old, info={**old.info, "trained_with": both})
    return list(known.values())


def create(
    spec: str, dataset: Dataset, device: str = "cpu", order: str = "target_source", numbers: str = "as-named"
) -> Swapper:
    """Create the swapper that `spec` names.

    Args:
        spec: A built-in name, smoothswap:WEIGHTS, images:DIR, list:COLUMN, an installed entry point, a manipulation
            of the data, or package.module:factory; with NAME= before it the swapper is called NAME.
        dataset: The run's: finished swaps are looked for there, and plain "smoothswap" takes the weights that
            fit it, for rendered faces where it knows the true swap, else for photographs.
        device: Where Smooth-Swap runs, as torch names it; other models choose for themselves.
        order: What the names of images:DIR say first, where DIR?order= does not say it.
        numbers: What the numbers of its frames mean, where DIR?numbers= does not say it.

    Returns:
        The swapper, its weights loaded.

    Raises:
        UsageError: For an unknown name, a factory that cannot be imported or fails, an object without a
            swapper's methods, or weights that cannot be loaded.
        DataError: When the name is right but its clips are not in `dataset`, or the folder of images:DIR is
            not there.
    """
    alias, equals, rest = spec.partition("=")
    if equals and is_plain(alias := one_form(alias)):
        refuse_name(alias, "a model")
        return marked(replace(create(rest, dataset, device, order, numbers), name=alias, spec=spec))
    return marked(_create(spec, dataset, device, order, numbers))


def calls_code(spec: str) -> bool:
    """Whether a model is a factory that would be imported and called, so that who names it must be trusted.

    Args:
        spec: As `create` takes it.

    Returns:
        True for package.module:factory, also under another name; an installed package's entry point is not such.

    Examples:
        >>> calls_code("my_package.models:build"), calls_code("mine=my_package.models:build")
        (True, True)
        >>> calls_code("images:DIR"), calls_code("smoothswap:weights"), calls_code("classical")
        (False, False, False)
    """
    alias, equals, rest = spec.partition("=")
    spec = rest if equals and is_plain(one_form(alias)) else spec
    own = spec.partition(":")[0] in ("smoothswap", "images", "crops", "list")
    return _is_factory(spec) and not own and spec not in [entry.name for entry in entry_points()]


def _is_factory(spec: str) -> bool:
    kind, colon, argument = spec.partition(":")
    return bool(colon) and argument.isidentifier() and all(part.isidentifier() for part in kind.split("."))


def _create(spec: str, dataset: Dataset, device: str, order: str, numbers: str) -> Swapper:
    kind, colon, argument = spec.partition(":")
    for entry in OURS:
        if entry.name == spec:
            swapper = _wrap(_load(entry.load, spec), entry.name, spec)
            shows: Any = getattr(swapper.run, "shows", "source")
            return replace(swapper, reference=spec in REFERENCES, shows=shows)
    if kind == "smoothswap" and (argument or not colon):
        return _smoothswap(spec, argument, "rendered" if dataset.truth else "photos", device)
    if finished := _of_files(spec, dataset, order, numbers):
        return finished
    for entry in entry_points():
        if entry.name == spec:
            return _wrap(_load(entry.load, spec), entry.name, spec)
    if spec in FFPP_METHODS or spec in dataset.manipulations() or spec == "oracle":
        return _finished(spec, dataset)
    if _is_factory(spec):
        return _wrap(_load(lambda: _attribute(kind, argument), spec), argument, spec)
    names = known(dataset)
    raise UsageError(
        f"unknown model {spec!r}.{suggestion(kind, names)} Known: {', '.join(names)}, images:DIR, "
        "crops:DIR, package.module:factory (python -m bench.list explains them)"
    )


def _smoothswap(spec: str, weights: str, domain: str, device: str) -> Swapper:
    from bench.swappers.smooth import SmoothSwapModel

    try:
        model = SmoothSwapModel(weights, device, domain)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise UsageError(f"cannot load the model {spec!r}: {error}") from error
    name = plain_name(model.name, "smoothswap") if weights else "smoothswap"
    return Swapper(name, spec, "crop", model, name, info=model.info)


def _finished(name: str, dataset: Dataset) -> Swapper:
    from bench.swappers.finished import Manipulation

    run = Manipulation(dataset, name)
    return Swapper(name, name, "finished", run, name, reference=name == "oracle", info={"where": run.where()})


def _of_files(spec: str, dataset: Dataset, order: str, numbers: str) -> Swapper | None:
    """Finished swaps of a folder or of a list, None where `spec` names something else."""
    kind, colon, argument = spec.partition(":")
    if kind == "images" and colon:
        return _images(spec, argument, order, numbers)
    if kind == "list" and (argument or not colon):
        return _listed(spec, argument or "swap", dataset)
    if kind == "crops" and colon:
        return _crops(spec, argument, order, numbers)
    return None


def _images(spec: str, argument: str, order: str, numbers: str) -> Swapper:
    from bench.swappers.finished import ImagesFolder, asked

    folder, options = asked(spec, argument, {"order": order, "numbers": numbers, "name": ""})
    run = ImagesFolder(folder, options["order"], parse(options["numbers"]), options["name"])
    name = plain_name(folder.resolve().name, "images")
    info = {"where": run.where(), "order": run.order, "frame_numbers": str(run.numbering)}
    return Swapper(name, spec, "finished", run, name, info=info)


def _listed(spec: str, column: str, dataset: Dataset) -> Swapper:
    from bench.data.lists.pair_list import PairList
    from bench.swappers.finished import ListedSwaps

    if not isinstance(dataset, PairList):
        raise UsageError(f"--model {spec} takes swaps from a pair list: score one with python -m bench.pairs")
    dataset.take(column)
    name = plain_name(column, "list")
    run = ListedSwaps(dataset, column)
    return Swapper(name, spec, "finished", run, name, info={"where": run.where(), "column": column})


def _crops(spec: str, argument: str, order: str, numbers: str) -> Swapper:
    from bench.swappers.finished import CropsFolder, asked, cut_as

    given = {"order": order, "numbers": numbers, "template": "ffhq", "size": ""}
    folder, options = asked(spec, argument, given)
    aligned = cut_as(spec, options["template"], options["size"])
    run = CropsFolder(folder, aligned, options["order"], parse(options["numbers"]))
    name = plain_name(folder.resolve().name, "crops")
    info = {
        "where": run.where(),
        "order": run.order,
        "frame_numbers": str(run.numbering),
        "template": aligned.template,
        "crop_size": aligned.size,
    }
    return Swapper(name, spec, "finished", run, name, info=info)


def _attribute(module: str, name: str) -> Any:
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"cannot import {module!r} ({error}): install the package, or run from the folder that holds it"
        ) from error
    if not hasattr(loaded, name):
        raise UsageError(f"{module!r} has no {name!r}.{suggestion(name, dir(loaded))}")
    return getattr(loaded, name)


def _families(declared: Any, spec: str) -> list[str]:
    """trained_with as a list of names, those of the weights in a file included; else one clear error."""
    names = [declared] if isinstance(declared, str) else declared
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) and n.strip() for n in names):
        raise UsageError(
            f"trained_with of {spec!r} is {declared!r}; expected the families, names or weights' sha256 of the "
            'networks that its training used, as ["arcface"]'
        )
    return [family for name in names for family in _of_file(name.strip(), spec)]


def _of_file(name: str, spec: str) -> list[str]:
    """What trained the weights in a file of ours (.safetensors with its card, or exported .onnx); another name as it is."""
    if not name.endswith((".safetensors", ".onnx")) or not Path(name).is_file():
        return [name]
    from bench.reading.embedder import families_of
    from smoothswap import export_onnx, pretrained

    try:
        known = export_onnx.lineage_of(Path(name)) if name.endswith(".onnx") else pretrained.lineage_of(name)
    except pretrained.WeightsError as error:
        raise UsageError(f"trained_with of {spec!r}: {error}") from error
    if known is None:
        raise UsageError(
            f"trained_with of {spec!r}: {name} does not say what it was trained with; name the families instead"
        )
    return families_of(known)


def _load(find: Callable[[], Any], spec: str) -> Any:
    """Find and call a user's factory; whatever it raises becomes one clear error."""
    try:
        factory = find()
        return factory() if callable(factory) else factory
    except (UsageError, DataError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise UsageError(f"the model {spec!r} could not be made: {type(error).__name__}: {error}") from error


def _wrap(run: Any, name: str, spec: str) -> Swapper:
    """Tell a user's object apart by what it has, and take its name and info when it states them."""
    given = str(getattr(run, "name", "") or name)
    name = plain_name(given, "model")
    info = getattr(run, "info", None)
    info = dict(info) if isinstance(info, dict) else {}
    declared = getattr(run, "trained_with", info.get("trained_with"))
    if declared is not None:
        info["trained_with"] = _families(declared, spec)
    if isinstance(run, CropSwapper):
        size = run.size
        if not isinstance(size, int) or not 16 <= size <= 4096:
            raise UsageError(
                f"the model {spec!r} has size {size!r}; expected the side of its crop, 16 to 4096 pixels"
            )
        return Swapper(name, spec, "crop", run, name, info=info)
    if isinstance(run, FrameSwapper):
        return Swapper(name, spec, "frame", run, name, info=info)
    if isinstance(run, FinishedSwapper):
        return Swapper(name, spec, "finished", run, name, info=info)
    raise UsageError(
        f"the model {spec!r} is a {type(run).__name__} without the methods of a swapper: give it .size and "
        ".swap(source, target) on uint8 crops [n, size, size, 3], or .swap_frame(task) on whole frames"
    )
