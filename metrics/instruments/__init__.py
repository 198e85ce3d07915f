"""Instruments by name: "dlib", "arcface:PATH", "arcface:PATH?scale=128&colour=bgr", ...

Modules are imported only when their instrument is made, so that none needs the dependencies of another.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from metrics.instruments.base import Crop, Instrument, InstrumentError

__all__ = ["Available", "Crop", "Instrument", "InstrumentError", "available", "create"]


class Available(NamedTuple):
    """One line of the list of instruments; `needs` says what the user must supply, None: nothing."""

    name: str
    reads: tuple[str, ...]
    description: str
    needs: str | None
    default: bool = True  # read by a run that names no instruments, if it needs nothing


class _Entry(NamedTuple):
    module: str  # has a factory `create(**options)`, or `create(path, **options)` if takes_path
    takes_path: bool
    listed: Available


_ENTRIES = (
    _Entry("metrics.instruments.dlib", False, Available(
        "dlib", ("identity",), "dlib's face recognition ResNet, 128-d, 99.38 % on LFW as published", None,
    )),
    _Entry("metrics.instruments.arcface", True, Available(
        "arcface", ("identity",), "any 112 x 112 face recogniser on the ArcFace 5-point template",
        "arcface:PATH, an ONNX file or an IResNet (.pth, .safetensors) of yours, or a pack's name: arcface:buffalo_l",
    )),
    _Entry("metrics.instruments.vggface2", True, Available(
        "vggface2", ("identity",), "a network trained on VGGFace2, features not normalised",
        "vggface2:PATH, resnet50_ft_weight.pkl, senet50_ft_weight.pkl (cydonia999/VGGFace2-pytorch) or "
        "20180402-114759-vggface2.pt (timesler/facenet-pytorch)",
    )),
    _Entry("metrics.instruments.anny", False, Available(
        "anny", ("shape", "expression", "pose"), "the open morphable head of anny, regressed from pixels", None,
    )),
    _Entry("metrics.instruments.anny_landmarks", False, Available(
        "anny-landmarks", ("shape", "expression", "pose"), "the same head, fitted to 68 landmarks", None, False,
    )),
    _Entry("metrics.instruments.deca", True, Available(
        "deca", ("shape", "expression", "pose"), "DECA's encoder: FLAME's 100 shape and 50 expression codes",
        "deca:PATH, deca_model.tar (yfeng95/DECA)",
    )),
    _Entry("metrics.instruments.tddfa", True, Available(
        "tddfa", ("shape", "expression", "pose"), "3DDFA_V2: 40 shape and 10 expression codes",
        "tddfa:PATH, mb05_120x120.pth and its means and spreads as .npz (cleardusk/3DDFA_V2)",
    )),
    _Entry("metrics.instruments.hopenet", True, Available(
        "hopenet", ("pose",), "Hopenet, the expectation over 66 bins an angle",
        "hopenet:PATH, hopenet_robust_alpha1.pkl (natanielruiz/deep-head-pose)",
    )),
    _Entry("metrics.instruments.sixdrepnet", True, Available(
        "sixdrepnet", ("pose",), "6DRepNet", "sixdrepnet:PATH, 6DRepNet_300W_LP_AFLW2000.pth (thohemp/6DRepNet)",
    )),
)  # fmt: skip


def _registry() -> dict[str, _Entry]:
    return {entry.listed.name: entry for entry in _ENTRIES if importlib.util.find_spec(entry.module)}


def available() -> list[Available]:
    """Every instrument of this installation: name, reads, description, needs."""
    return [entry.listed for entry in _registry().values()]


def create(spec: str, **options: Any) -> Instrument:
    """The instrument that `spec` names: NAME, NAME:PATH or either with ?option=value&option=value.

    Options given as keywords win. Raises InstrumentError for an unknown name (with the nearest one), a
    missing path, an unknown option, or weights that cannot be used.
    """
    name, colon, rest = spec.partition(":")
    path = rest
    # A file whose own name holds a question mark is taken as it is.
    if not (colon and Path(rest).exists()):
        head, _, query = spec.partition("?")
        name, colon, path = head.partition(":")
        options = dict(parse_qsl(query, keep_blank_values=True)) | options
    known = _registry()
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise InstrumentError(f"unknown instrument {name!r}; {hint}")
    entry = known[name]
    if entry.takes_path and not path:
        raise InstrumentError(f"{name} needs {entry.listed.needs}")
    if colon and not entry.takes_path:
        raise InstrumentError(f"{name} takes no path; write {name!r}, not {spec!r}")
    factory: Callable[..., Instrument] = importlib.import_module(entry.module).create
    _check_options(name, factory, options, skip=int(entry.takes_path))
    return factory(path, **options) if entry.takes_path else factory(**options)


def _check_options(name: str, factory: Callable[..., Instrument], options: dict[str, Any], skip: int) -> None:
    known = list(inspect.signature(factory).parameters)[skip:]
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
            raise InstrumentError(f"{name} has no option {option!r}; {hint}")
