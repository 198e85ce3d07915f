"""What a CI reads of a regression check: JUnit XML, and a Markdown summary for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from bench.compare.__main__ import number
from bench.regress.baseline import Baseline
from bench.regress.judge import Judgement, failing
from reports.markdown import plain
from reports.results import Results

_WORDS = {
    "regression": "**worse**",
    "missing": "**missing**",
    "unclear": "unclear",
    "better": "better",
    "within tolerance": "ok",
}


def junit(judgements: Sequence[Judgement], results: Results, baseline: Baseline, strict: bool) -> str:
    """JUnit XML: a test suite with a case for every judgement; one that fails the check is a failure.

    Args:
        judgements: What `judge` gave.
        results: Of the run that was judged.
        baseline: What it was judged by.
        strict: Whether unclear judgements fail too.

    Returns:
        The text of the XML file, with its declaration.
    """
    failed = failing(judgements, strict)
    suite = _suite(len(judgements), failures=len(failed), errors=0, results=results)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("model", results.run.model.name),
        ("weights_sha256", results.run.model.weights_sha256 or "none"),
        ("protocol", results.run.protocol.hash),
        ("data", results.run.data.name),
        ("baseline_repeats", str(baseline.repeats)),
        ("alarm_rate", str(baseline.alarm_rate)),
    ):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for one in judgements:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"bench.regress.{results.run.model.name}", name=one.metric, time="0"
        )
        if one in failed:
            failure = ElementTree.SubElement(case, "failure", type=one.status, message=one.said)
            failure.text = _line(one)
        else:
            ElementTree.SubElement(case, "system-out").text = _line(one)
    return _text(suite)


def junit_error(said: str) -> str:
    """A suite with one case that could not be judged, so that a CI shows the reason and not a missing file."""
    suite = _suite(1, failures=0, errors=1, results=None)
    case = ElementTree.SubElement(suite, "testcase", classname="bench.regress", name="comparable", time="0")
    ElementTree.SubElement(case, "error", type="DataError", message=said.splitlines()[0]).text = said
    return _text(suite)


def _suite(tests: int, failures: int, errors: int, results: Results | None) -> ElementTree.Element:
    counts = {"tests": tests, "failures": failures, "errors": errors, "skipped": 0}
    attributes = {"name": "bench.regress", **{key: str(n) for key, n in counts.items()}}
    if results is not None:
        attributes["time"] = f"{results.run.seconds:.3f}"
        attributes["timestamp"] = results.run.started.strftime("%Y-%m-%dT%H:%M:%S")
    return ElementTree.Element("testsuite", attributes)


def _text(suite: ElementTree.Element) -> str:
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _line(one: Judgement) -> str:
    interval = f"{number(one.ci95[0], True)} to {number(one.ci95[1], True)}" if one.ci95 else "none"
    return (
        f"{one.said}\nbaseline {number(one.baseline)}, new {number(one.new)} {one.unit}; tolerance "
        f"{number(one.tolerance)} = {one.factor:.2f} x sd {number(one.sd)} of the repeats; paired difference "
        f"{number(one.difference, True)}, 95 % interval {interval}, {one.n} frames of {one.clusters} pairs"
    )


def summary(judgements: Sequence[Judgement], results: Results, baseline: Baseline, strict: bool) -> str:
    """Markdown: the verdict first, what failed, then every metric in a folded table.

    Args:
        judgements: What `judge` gave.
        results: Of the run that was judged.
        baseline: What it was judged by.
        strict: Whether unclear judgements fail too.

    Returns:
        The text, fit for a pull request's comment or a CI's job summary.
    """
    failed = failing(judgements, strict)
    name = plain(results.run.model.name)
    metrics = [one for one in judgements if one.factor]
    if failed:
        head = (
            f"### Face-swap regression check: {name} got worse in {len(failed)} of {len(judgements)} checks"
        )
    else:
        head = f"### Face-swap regression check: {name} passed all {len(judgements)} checks"
    lines = [head, "", _against(results, baseline)]
    lines += [""] if failed or _remarks(judgements, failed) else []
    lines += [f"- **{plain(one.metric)}**: {one.said}" for one in failed]
    lines += [
        f"- {plain(one.metric)} (does not fail the check): {one.said}" for one in _remarks(judgements, failed)
    ]
    counts = results.run.data, results.counts
    lines += [
        "",
        f"<details><summary>All metrics, {counts[1].used:,} of {counts[1].expected:,} frames scored</summary>",
        "",
        "| Metric | Baseline | New | Worse by | Tolerance | Paired difference, 95 % interval | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for one in metrics:
        arrow = "↑" if one.higher_is_better else "↓"
        interval = f" ({number(one.ci95[0], True)} to {number(one.ci95[1], True)})" if one.ci95 else ""
        interval = " (no frame differs)" if one.ci95 == (0.0, 0.0) else interval
        lines.append(
            f"| {plain(one.metric)} {arrow} | {number(one.baseline)} | {number(one.new)} | "
            f"{number(one.worse, True)} | {number(one.tolerance)} | {number(one.difference, True)}{interval} | "
            f"{_WORDS[one.status]} |"
        )
    lines += ["", _how(baseline), "", "</details>"]
    return "\n".join(lines) + "\n"


def summary_error(said: str) -> str:
    """Markdown: why no check could be made."""
    first, *parts = said.splitlines()
    return "\n".join(
        [
            "### Face-swap regression check could not be made",
            "",
            plain(first),
            *(f"- {plain(p)}" for p in parts),
            "",
        ]
    )


def _remarks(judgements: Sequence[Judgement], failed: Sequence[Judgement]) -> list[Judgement]:
    return [one for one in judgements if one not in failed and one.status in ("unclear", "better")]


def _against(results: Results, baseline: Baseline) -> str:
    base = baseline.results.run
    return (
        f"{plain(results.run.data.name)}, protocol `{results.run.protocol.hash[:12]}`, against "
        f"{baseline.repeats} runs of {plain(base.model.name)} from {base.started:%Y-%m-%d}."
    )


def _how(baseline: Baseline) -> str:
    k = max((m.factor for m in baseline.metrics.values()), default=0.0)
    return (
        f"A metric fails when it is worse than its tolerance ({k:.2f} standard deviations of the baseline's "
        f"{baseline.repeats} repeats; unchanged runs raise any alarm in at most {100 * baseline.alarm_rate:g} % of "
        "checks) and the 95 % interval of the paired difference, clustered by pair of people, leaves 0 out."
    )


def as_json(judgements: Sequence[Judgement], failed: Sequence[Judgement]) -> dict[str, Any]:
    """What `--json` prints: the metrics that failed, and every judgement.

    Args:
        judgements: What `judge` gave.
        failed: Those among them that fail the check (`failing`).

    Returns:
        {"failed": keys, "checks": the fields of each Judgement by name}, ready for JSON.
    """
    return {"failed": [one.metric for one in failed], "checks": [vars(one) for one in judgements]}
