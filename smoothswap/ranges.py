"""In what ranges the numbers of a training make sense; what only two options together can say, their parts check."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_COUNTS = "people photos neighbours log_every validate_every picture_every batch r1_every d_steps size width blocks "
_COUNTS += "hidden dim identity_dim channel_base channel_max stddev_group channel_multipliers patch"
_WHOLE = (
    "adversarial_start adversarial_warmup warmup steps seed recalibrate chunk adv_warmup id_views self_pairs "
)
_WHOLE += "erase_count answers adv_start"
_POSITIVE = "temperature scale clip"
_RATES = "lr lr_d"  # with 1,000 nothing learns, and with far more arithmetic itself ends
_NOT_NEGATIVE = (
    "loss_lr weight_decay adversarial r1_weight arcface_margin cosface_margin lr_final init_scale "
)
_NOT_NEGATIVE += "lambda_id lambda_chg lambda_adv lambda_answer lambda_perceptual"
_SHARES = "decay_share held_out beta1 beta2 beta1_d beta2_d ema dropout flip grayscale blur erase"
_MOST = 1 << 31  # of a count: more is a slip of the keyboard, and no machine's memory
TINY = 1e-12

RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(_COUNTS.split(), (1, _MOST)),
    **dict.fromkeys(_WHOLE.split(), (0, _MOST)),
    **dict.fromkeys(_POSITIVE.split(), (TINY, math.inf)),
    **dict.fromkeys(_RATES.split(), (0, 1000)),
    **dict.fromkeys(_NOT_NEGATIVE.split(), (0, math.inf)),
    **dict.fromkeys(_SHARES.split(), (0, 1)),
}
"""Least and greatest value by the last part of an option's key; of a tuple, that of each of its numbers."""
_OTHERWISE = {"seed": (0, 1 << 63), "augment.scale": (0, math.inf), "id_augment.scale": (0, math.inf)}


def out_of_range(flat: Mapping[str, Any]) -> str:
    """The first option whose number makes no sense.

    Args:
        flat: Values by dotted key, as smoothswap.config.flatten gives them.

    Returns:
        The option, its value and its range, as a sentence; "" where all are within theirs.

    Examples:
        >>> out_of_range({"lr": 1e-3, "generator.width": 0})
        'generator.width is 0; give a number from 1 to 2147483648'
        >>> out_of_range({"lr": 1e-3, "generator.width": 32})
        ''
    """
    for key, value in flat.items():
        ends = _OTHERWISE.get(key) or RANGES.get(key.rpartition(".")[2])
        numbers = value if isinstance(value, tuple) else (value,)
        if ends is None or not all(isinstance(number, int | float) for number in numbers):
            continue
        low, high = ends
        if not all(math.isfinite(number) and low <= number <= high for number in numbers):
            wanted = "above 0" if low == TINY else f"of at least {low:g}"
            wanted = wanted if high == math.inf else f"from {low:g} to {high:.10g}"
            return f"{key} is {value}; give {'numbers' if len(numbers) > 1 else 'a number'} {wanted}"
    return ""
