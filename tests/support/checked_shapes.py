"""The type checker of jaxtyping's import hook: shapes and types of the hooked packages are checked in the test run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

# A whole number may stand for a float, as the type checker of the sources has it.
CONF = BeartypeConf(is_pep484_tower=True)

# Not networks.options: it refuses wrong choices itself, in words for the user.
PACKAGES = (
    "smoothswap.networks.discriminator",
    "smoothswap.networks.embedder",
    "smoothswap.networks.generator",
    "smoothswap.networks.injection",
    "smoothswap.networks.layers",
    "smoothswap.networks.model",
    "smoothswap.networks.resample",
    "smoothswap.losses",
    "smoothswap.augment",
    "smoothswap.tensors",
)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, refusing arguments and results that are not what its annotations say."""
    return beartype(function, conf=CONF)


def checked_where_shaped(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with its arrays checked where annotations name a shape, and the rest left to the function.

    Many a test hands in what a metric must refuse in words of its own.
    """
    annotations = getattr(function, "__annotations__", {})
    shaped = {name: hint for name, hint in annotations.items() if "jaxtyping." in str(hint)}
    if not shaped:
        return function
    function.__annotations__ = shaped
    return checked(function)
