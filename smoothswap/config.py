"""Training configurations: typed options, presets as TOML files in `smoothswap/presets`, `--set key=value` overrides.

A preset holds one table a part, `[embedder]` and `[swapper]`; nested options are dotted keys such as `generator.width`.
Its first line is a comment that says what it is for. With `base = "lite-64"` before the tables (a preset's name, or a
.toml file relative to this one) it starts from another and says only what differs.
"""

from __future__ import annotations

import dataclasses
import difflib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from smoothswap.augment import AugmentOptions
from smoothswap.errors import UsageError
from smoothswap.networks.options import DiscriminatorOptions, EmbedderOptions, GeneratorOptions
from smoothswap.networks.precision import emulated
from smoothswap.plumbing.texts import TextError, json_of, read_toml
from smoothswap.ranges import out_of_range
from smoothswap.training import distributed

PRESETS = Path(__file__).parent / "presets"


class OptionError(UsageError):
    """An unknown preset or option, or a value of the wrong type."""


@dataclass(frozen=True)
class EmbedderConfig:
    """Training of the embedder. The paper states tau and the data; the rest is ours, named here."""

    network: EmbedderOptions = field(default_factory=EmbedderOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    # contrastive (paper) | supcon_out | supcon_in | arcface | cosface | softmax
    loss: str = "contrastive"
    # largest change of a pixel, on [-1, 1], of a single-step attack on every batch; 0: none
    adversarial: float = 0.0
    # first steps without an attack, which would keep a network from learning
    adversarial_start: int = 0
    # steps after these over which that change grows from 0
    adversarial_warmup: int = 0
    # paper; of contrastive, supcon_out and supcon_in
    temperature: float = 0.07
    # of arcface and cosface
    scale: float = 64.0
    # radians
    arcface_margin: float = 0.5
    # of the cosine; 0.35 in its paper, 0.4 in later models
    cosface_margin: float = 0.35
    # P people a batch (of all ranks together) ...
    people: int = 40
    # ... times K photos of each
    photos: int = 4
    # people drawn together who follow one another in the data, as lookalikes do
    neighbours: int = 1
    # people with fewer than K: leave_out | repeat (their photos come round again)
    few_photos: str = "leave_out"
    # faces a forward pass (gradient caching), BatchNorm's statistics included; 0: the batch
    chunk: int = 0
    lr: float = 2e-3
    # times lr, of the class weights of arcface, cosface and softmax
    loss_lr: float = 1.0
    # AdamW
    weight_decay: float = 5e-4
    # steps of linear warm-up
    warmup: int = 50
    # cosine | linear | none
    decay: str = "cosine"
    # of the planned steps, at the end, over which lr falls
    decay_share: float = 0.9
    # share of lr at the last step
    lr_final: float = 0.01
    # gradient norm
    clip: float = 5.0
    # planned; the decay is a function of it
    steps: int = 1000
    seed: int = 0
    # share of people, the last ones, for validation, unless the data's split.json says who
    held_out: float = 0.1
    # batches of plain training faces that measure BatchNorm anew after the last step; 0: none
    recalibrate: int = 40
    log_every: int = 10
    validate_every: int = 200
    # float32 | bfloat16: autocast of the backbone; head and loss stay in float32
    precision: str = "float32"
    # many GPUs: BatchNorm's statistics of all ranks; false: of each rank's share
    sync_batchnorm: bool = False
    # torch.compile; the numbers differ by rounding
    compile: bool = False


@dataclass(frozen=True)
class SwapperConfig:
    """Training of the swapper. The paper states the losses and lambda_id 4; the rest is ours, named here."""

    generator: GeneratorOptions = field(default_factory=GeneratorOptions)
    discriminator: DiscriminatorOptions = field(default_factory=DiscriminatorOptions)
    # paper
    lambda_id: float = 4.0
    # pixel MSE on [-1, 1]
    lambda_chg: float = 1.0
    lambda_adv: float = 1.0
    # first steps without a discriminator, then those over which lambda_adv rises from 0
    adv_start: int = 0
    adv_warmup: int = 500
    # pairs a batch whose answer is known (train --answers), and the weights of losses.answer; L_chg is of the others
    answers: int = 0
    lambda_answer: float = 1.0
    lambda_perceptual: float = 0.0
    # augmented views of x_swap in L_id; 0: the plain image, as in the paper
    id_views: int = 1
    # the plain image counts as one more view
    id_plain: bool = True
    id_augment: AugmentOptions = field(default_factory=AugmentOptions)
    # L_id's goal: view: the source photo's embedding (paper) | person: the mean of the person's
    id_target: str = "view"
    # pairs a batch with x_src = x_tgt
    self_pairs: int = 1
    # of all ranks together
    batch: int = 8
    # gamma
    r1_weight: float = 1.0
    # lazy: every n-th step, weighted n times
    r1_every: int = 16
    lr: float = 4e-4
    beta1: float = 0.5
    beta2: float = 0.99
    lr_d: float = 4e-4
    # discriminator steps a generator step, on the same swaps and other real faces
    d_steps: int = 1
    beta1_d: float = 0.0
    beta2_d: float = 0.99
    # gradient norm of the generator
    clip: float = 1.0
    warmup: int = 0
    decay: str = "linear"
    decay_share: float = 0.2
    lr_final: float = 0.05
    ema: float = 0.999
    steps: int = 12000
    seed: int = 0
    held_out: float = 0.1
    log_every: int = 20
    validate_every: int = 500
    picture_every: int = 500
    # float32 | bfloat16: autocast of the networks; losses and R1 stay in float32
    precision: str = "float32"
    compile: bool = False


Config = TypeVar("Config", EmbedderConfig, SwapperConfig)
PARTS: dict[str, type] = {"embedder": EmbedderConfig, "swapper": SwapperConfig}


def flatten(config: Any, prefix: str = "") -> dict[str, Any]:
    """Options as {"generator.width": 64, ...} in the order of their definition.

    Args:
        config: A configuration, or any dataclass of options.
        prefix: What every key begins with.

    Returns:
        Values by dotted key, as they are: tuples stay tuples.
    """
    flat: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            flat |= flatten(value, f"{prefix}{item.name}.")
        else:
            flat[prefix + item.name] = value
    return flat


def _convert(key: str, value: Any, like: Any) -> Any:
    """`value` (from TOML, JSON or the command line) in the type of the default `like`."""
    if isinstance(value, str) and not isinstance(like, str):
        try:
            value = json_of(
                value.replace("(", "[").replace(")", "]").replace("True", "true").replace("False", "false")
            )
        except TextError:
            raise OptionError(f"{key}={value}: expected a value like {like!r}") from None
    if isinstance(like, bool) != isinstance(value, bool):
        wanted = "true or false" if isinstance(like, bool) else f"a value like {like!r}"
        raise OptionError(f"{key}={value!r}: expected {wanted}")
    if isinstance(like, float) and isinstance(value, int):
        return float(value)
    many = isinstance(like, tuple) and isinstance(value, (list, tuple))
    if many and all(type(v) is type(like[0]) for v in value):
        return tuple(value)
    if type(value) is not type(like):
        raise OptionError(f"{key}={value!r}: expected a value like {like!r}")
    return value


def fitted(base: Config, values: dict[str, Any], device: str = "cpu") -> Config:
    """override(), in float32 where a bfloat16 that `values` do not ask for is one that this CPU lacks.

    Args:
        base: The configuration to start from.
        values: As override() takes them; a "precision" among them is obeyed.
        device: The type of the device of the training, "cpu" or "cuda"; GPUs are taken to have bfloat16.

    Returns:
        A copy. Where its precision was changed, rank 0 says so on standard error.
    """
    config = override(base, values)
    if "precision" in values or not emulated(config.precision, device):
        return config
    if distributed.rank() == 0:
        print(
            "this CPU has no bfloat16, training in float32; --set precision=bfloat16 imitates it, at 40 times the time",
            file=sys.stderr,
        )
    return override(config, {"precision": "float32"})


def override(config: Config, values: dict[str, Any]) -> Config:
    """A copy with dotted keys replaced.

    Args:
        config: Stays as it is.
        values: By dotted key. Texts are read as on the command line ("3e-4", "true", "(1, 2)"), lists become
            tuples, and whole numbers do for floats.

    Returns:
        A configuration of the same class.

    Raises:
        OptionError: An unknown key, with a suggestion, a value of another type than the option's default, or out of range.
        ValueError: Options of a network refuse the value, such as a size that its levels do not divide.
    """
    flat = flatten(config)
    for key, value in values.items():
        if key not in flat:
            near = difflib.get_close_matches(key, flat, 1) or [k for k in flat if k.endswith("." + key)][:1]
            raise OptionError(f"unknown option {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        flat[key] = _convert(key, value, flat[key])
    if said := out_of_range(flat):
        raise OptionError(said)
    return _build(type(config), flat)


def _build(kind: type, flat: dict[str, Any], prefix: str = "") -> Any:
    values = {}
    for item in dataclasses.fields(kind):
        if (key := prefix + item.name) in flat:
            values[item.name] = flat[key]
        else:
            factory = item.default_factory
            assert factory is not dataclasses.MISSING
            values[item.name] = _build(factory, flat, key + ".")  # type: ignore[arg-type]
    return kind(**values)


def _dotted(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def preset_summary() -> str:
    """The presets that come with the package, one a line, each with the first comment of its file."""
    texts = {name: (PRESETS / f"{name}.toml").read_text(encoding="utf-8-sig") for name in preset_names()}
    firsts = {name: text.partition("\n")[0].lstrip("# ") for name, text in texts.items()}
    return "\n".join(f"  {name:<{max(map(len, firsts))}}  {text}" for name, text in firsts.items())


def preset_tables(
    name: str, folder: Path | None = None, seen: tuple[Path, ...] = ()
) -> dict[str, dict[str, Any]]:
    """What a preset sets, its base's settings included.

    Args:
        name: A preset's, or the path of a .toml file.
        folder: From where such a path starts; None: the working directory.
        seen: The presets that lead here, each the base of the one before; for errors, and to find circles.

    Returns:
        {"embedder": {"network.size": 64, ...}, "swapper": {...}}: values as in the TOML, not checked yet.

    Raises:
        OptionError: An unknown name or table, with a suggestion, bases in a circle, or bad TOML.
    """
    path = Path(folder or "", name) if name.endswith(".toml") else PRESETS / f"{name}.toml"
    of = f", the base of {seen[-1].name}" if seen else ""
    if not path.is_file():
        raise OptionError(
            f"unknown preset {name!r}{of}{_near(name, preset_names())} Presets: {', '.join(preset_names())}"
        )
    if path.resolve() in seen:
        circle = " -> ".join(p.name for p in [*seen, path])
        raise OptionError(f"presets are the base of each other: {circle}")
    try:
        own = read_toml(path)
    except (OSError, TextError) as error:
        raise OptionError(f"preset {path} is not valid TOML: {error}") from None
    base = own.pop("base", None)
    if not isinstance(base, str | None):
        raise OptionError(f"preset {path}: base = {base!r}; expected the name of a preset")
    merged = preset_tables(base, path.parent, (*seen, path.resolve())) if base is not None else {}
    for part, table in own.items():
        if part not in PARTS or not isinstance(table, dict):
            raise OptionError(f"preset {path}: unknown table [{part}]{_near(part, ['base', *PARTS])}")
        merged[part] = merged.get(part, {}) | _dotted(table)
    return merged


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else "."


def load_preset(name: str, part: str) -> Any:
    """The configuration of a part in a preset.

    Args:
        name: A preset's, or the path of a .toml file.
        part: "embedder" or "swapper".

    Returns:
        EmbedderConfig or SwapperConfig; what the preset does not set has its default.

    Raises:
        OptionError: As preset_tables and override, and for a preset without a table of the part.
    """
    found = preset_tables(name)
    if part not in found:
        raise OptionError(f"preset {name} has no table [{part}]; it has {', '.join(found) or 'none'}")
    return override(PARTS[part](), found[part])


def from_json(part: str, flat: dict[str, Any]) -> Any:
    """A configuration from the dotted keys stored in a checkpoint or card.

    Args:
        part: "embedder" or "swapper".
        flat: Values by dotted key, as flatten gives them; options added since have their defaults.

    Returns:
        EmbedderConfig or SwapperConfig.
    """
    return override(PARTS[part](), flat)
