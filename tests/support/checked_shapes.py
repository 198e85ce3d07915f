"""The type checker of jaxtyping's import hook: shapes and types of the hooked packages are checked in the test run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_type_hints

import jaxtyping
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

_jaxtyped = jaxtyping.jaxtyped


def install() -> None:
    """Check what the packages are called with from now on. To be called before any of them is imported."""
    jaxtyping.jaxtyped = _only_shaped  # the name that the hook writes above every function and class
    jaxtyping.install_import_hook(PACKAGES, "checked_shapes.checked")
    jaxtyping.install_import_hook(("metrics",), "checked_shapes.checked_where_shaped")


def _only_shaped(function: Any = None, *, typechecker: Callable[..., Any]) -> Any:
    """jaxtyping's decorator, where there is a shape to check: elsewhere it took a quarter of the test run's time."""
    if function is None:
        return partial(_only_shaped, typechecker=typechecker)
    if _shaped(function):
        return _jaxtyped(function, typechecker=typechecker)
    return function if isinstance(function, type) else typechecker(function)


def _shaped(function: Any) -> bool:
    """Whether an annotation of a function, or of a dataclass's fields, names a shape; so if it cannot be told."""
    function = getattr(function, "fget", None) or getattr(function, "__func__", function)
    try:
        return "jaxtyping." in str(get_type_hints(function))
    except (NameError, TypeError, AttributeError):  # names for type checkers alone
        return True


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
