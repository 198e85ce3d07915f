"""What checks shapes in the test run: beartype, of the annotations that name one (jaxtyping).

The others are mypy's: a test that hands in what a function must refuse would never reach the function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its shapes checked at every call; itself where it names none."""
    annotations = getattr(function, "__annotations__", {})
    shaped = {name: hint for name, hint in annotations.items() if "jaxtyping." in str(hint)}
    if not shaped:
        return function
    function.__annotations__ = shaped
    return _checked(function)
