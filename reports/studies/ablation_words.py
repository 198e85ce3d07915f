"""What an ablation study shows, in sentences with their intervals: from ablation.json alone.

A difference is called one only where its interval over held-out pairs keeps 0 out, Holm's correction over all comparisons
holds, and every seed has its sign. Anything else is "not separated".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.paper import figure_7

Study = Mapping[str, Any]


def conclusions(study: Study) -> list[str]:
    """Sentences on the common step, the judge, the losses, steps to marks, stability and what diverged.

    Args:
        study: Content of ablation.json, its conclusions aside.

    Returns:
        In that order.
    """
    return [
        *_state(study),
        *_compared(study, "judge_id"),
        *_compared(study, "val_id"),
        *_compared(study, "val_chg"),
        *_marks(study),
        *_steadiness(study),
    ]


def verdict(comparison: Mapping[str, Any]) -> str:
    """What a comparison says of b against a.

    Args:
        comparison: Of ablation.json.

    Returns:
        "lower", "higher" or "not separated".

    Examples:
        >>> verdict({"separated": True, "agreed": True, "difference": -0.1})
        'lower'
    """
    if not (comparison["separated"] and comparison["agreed"]):
        return "not separated"
    return "lower" if comparison["difference"] < 0 else "higher"


def number(value: float, digits: int = 3) -> str:
    """Significant digits without an exponent for the sizes that losses have, with a true minus.

    Args:
        value: The number.
        digits: How many.

    Returns:
        The text.

    Examples:
        >>> number(-0.012345)
        '−0.0123'
    """
    return f"{value:.{digits}g}".replace("-", "−") if value else "0"


def chance(p: float | None) -> str:
    """A p-value in words: "p = 0.012", "p < 0.001"."""
    return "p unknown" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _state(study: Study) -> list[str]:
    common, arms = study["common"], study["arms"]
    if not common["seeds"]:
        return [f"No step is shared yet by {', '.join(arms)}: nothing is compared."]
    seeds = ", ".join(map(str, common["seeds"]))
    said = [
        f"Compared after {common['step']:,} of {study['steps']:,} planned steps, seed{'s' * (len(common['seeds']) > 1)} "
        f"{seeds}, on {common['pairs']} held-out pairs of people ({common['clusters']} different ones)."
    ]
    if len(common["seeds"]) == 1:
        said.append("One seed only: what another seed would give is unknown.")
    for state, words in (
        ("diverged", "Diverged, and left out from there on"),
        ("begun", "Not finished"),
        ("new", "Not begun"),
    ):
        runs = [
            f"{run['arm']} seed {run['seed']}" + (f" ({run['steps']:,} saved steps)" if run["steps"] else "")
            for run in study["planned"]
            if run["state"] == state
        ]
        said += [f"{words}: {', '.join(runs)}."] if runs else []
    return said


_WHAT = {
    "judge_id": "Distance from swap to source by {judge}",
    "val_id": "Held-out identity loss",
    "val_chg": "Change loss",
}


def _compared(study: Study, metric: str) -> list[str]:
    """The arms in order with what is separated; of different embedders with one lambda_id, each difference in full."""
    found = [one for one in study["comparisons"] if one["metric"] == metric]
    if not found:
        return []
    what = _WHAT[metric].format(judge=study["judge"]["name"] if study.get("judge") else "")
    if metric == "val_id":  # only arms of one embedder have comparisons
        groups = [[one for one in found if _embedder(study, one["a"]) == name] for name in study["embedders"]]
        return [_order(study, metric, f"{what} under {_embedder(study, g[0]['a'])}", g) for g in groups if g]
    said = [_order(study, metric, what, found)]
    for one in found:
        a, b = (study["arms"][one[side]] for side in ("a", "b"))
        if a["embedder"] != b["embedder"] and a["lambda_id"] == b["lambda_id"]:
            said.append(
                _one(one, what, a["lambda_id"], _quoted_change(study, one) if metric == "val_chg" else "")
            )
    return said


def _embedder(study: Study, arm: str) -> str:
    return str(study["arms"][arm]["embedder"])


def _order(study: Study, metric: str, what: str, found: list[Mapping[str, Any]]) -> str:
    """One sentence: the arms from the lowest value, and which differences are separated."""
    names = dict.fromkeys(name for one in found for name in (one["a"], one["b"]))
    at = {name: study["arms"][name]["at_common_step"][metric] for name in names}
    order = sorted((n for n in at if at[n]["value"] is not None), key=lambda n: at[n]["value"])
    values = ", ".join(f"{name} {number(at[name]['value'])}{_ends(at[name]['ci95'])}" for name in order)
    open_ = [
        f"{one['a']} and {one['b']} ({number(one['difference'])}{_ends(one['ci95'], ', ')}"
        f"{'' if one['agreed'] else ', the seeds disagree'})"
        for one in found
        if verdict(one) == "not separated"
    ]
    if not open_:
        kept = "the difference is" if len(found) == 1 else f"all {len(found)} differences are"
        return f"{what}, from the lowest: {values}; {kept} separated."
    return f"{what}, from the lowest: {values}. Not separated: {'; '.join(open_)}."


def _ends(ci95: list[float] | None, before: str = "") -> str:
    if not ci95:
        return ""
    ends = f"{number(ci95[0])} to {number(ci95[1])}"
    return f"{before}{ends}" if before else f" ({ends})"


def _one(one: Mapping[str, Any], what: str, lambda_id: float, paper: str) -> str:
    """One sentence on two embedders with the same lambda_id."""
    head = f"{what} with lambda_id {lambda_id:g}, {one['b']} less {one['a']}: {number(one['difference'])}"
    seeds = ", ".join(number(d) for d in one["by_seed"].values())
    tail = f"{_ends(one['ci95'], '95 % interval ')}; {chance(one['p_holm'])} after Holm; by seed {seeds}"
    said = {"lower": f"{one['b']} is lower", "higher": f"{one['a']} is lower"}.get(
        verdict(one), "not separated"
    )
    return f"{head} ({tail}): {said}.{paper}"


def _quoted_change(study: Study, one: Mapping[str, Any]) -> str:
    """The paper's change losses of the same two arms at the end of its Fig. 7."""
    arms = [study["arms"][one[side]] for side in ("a", "b")]
    curves = [figure_7.quoted(study["embedders"][arm["embedder"]]["loss"], arm["lambda_id"]) for arm in arms]
    if curves[0] is None or curves[1] is None:
        return ""
    steps = figure_7.STEPS[-1] // 1000
    ends = " and ".join(f"{c.name} {c.change[-1]:g}" for c in curves if c)
    return f" Paper, Fig. 7 at {steps}k steps, quoted: {ends}."


def _marks(study: Study) -> list[str]:
    """Steps to the lowest mark that some arm reached, for every arm, with the paper's beside."""
    marks = sorted({float(m) for arm in study["arms"].values() for m in arm["steps_to"]})
    met = [m for m in marks if any(arm["steps_to"][f"{m:g}"]["reached"] for arm in study["arms"].values())]
    said = []
    for mark in dict.fromkeys([*met[-1:], *met[:1]]):
        parts = []
        for name, arm in study["arms"].items():
            paper = _paper(study, arm, mark)
            parts.append(f"{name} {_steps(arm['steps_to'][f'{mark:g}'])}{paper}")
        said.append(
            f"Steps until the identity loss under the arm's own embedder is {mark:g}: {'; '.join(parts)}. Different "
            "embedders have different scales; this compares as the paper's Fig. 7 does, and no further."
        )
    if met and all(a.get("steps_to_judge_share") for a in study["arms"].values()):
        shares = sorted(
            (float(s) for s in next(iter(study["arms"].values()))["steps_to_judge_share"]), reverse=True
        )
        for share in shares:
            found = {n: a["steps_to_judge_share"][f"{share:g}"] for n, a in study["arms"].items()}
            if any(f["reached"] for f in found.values()):
                parts = [f"{n} {_steps(f)}" for n, f in found.items()]
                said.append(
                    f"Steps until {study['judge']['name']} sees {100 * share:.0f} % of the way from nothing swapped to "
                    f"another photo of the source: {'; '.join(parts)}."
                )
                break
    return said


def _steps(found: Mapping[str, Any]) -> str:
    if not found["reached"]:
        return "never"
    if found["mean"] is None:
        return f"in {found['reached']} of {len(found['seeds'])} seeds"
    if len(found["seeds"]) == 1 or found["low"] == found["high"]:
        return f"{found['mean']:,.0f}"
    return f"{found['mean']:,.0f} ({found['low']:,.0f} to {found['high']:,.0f})"


def _paper(study: Study, arm: Mapping[str, Any], mark: float) -> str:
    curve = figure_7.quoted(study["embedders"][arm["embedder"]]["loss"], arm["lambda_id"])
    if curve is None:
        return ""
    between = figure_7.steps_to(curve, mark)
    if between is None:
        return " [paper: not in 580k]"
    low, high = (f"{step // 1000}k" for step in between)
    return f" [paper: by {high}]" if between[0] == 0 else f" [paper: {low} to {high}]"


def _steadiness(study: Study) -> list[str]:
    """Ranges over seeds; not tested, for seeds are few."""
    parts = []
    for name, arm in study["arms"].items():
        known = [s for s in arm["stability"].values() if s]
        if known:
            spikes, ratio = ([s[key] for s in known] for key in ("spikes_per_1000", "ratio"))
            parts.append(f"{name} {_range(spikes)} spikes, {_range(ratio)}")
    if not parts:
        return []
    return [
        "Steadiness of training (described, not tested): spikes of the identity loss in 1,000 steps, and how many times "
        f"its median the gradient norm's 99th percentile is: {'; '.join(parts)}."
    ]


def _range(values: list[float]) -> str:
    low, high = number(min(values), 2), number(max(values), 2)
    return low if low == high else f"{low} to {high}"
