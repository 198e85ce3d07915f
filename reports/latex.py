"""The table as LaTeX (booktabs): the groups of Table 1, bold where separated, daggers, intervals below."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.table import Column, Row, RunFiles, Table, build

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "|": r"\textbar{}",
}
_ANY = re.compile("|".join(re.escape(sign) for sign in _SIGNS))


def escape(text: str) -> str:
    r"""Text that is never a command.

    Args:
        text: Any, from a result.

    Returns:
        The same for LaTeX, on one line.

    Examples:
        >>> print(escape("a_b & 5 %"))
        a\_b \& 5 \%
    """
    return _ANY.sub(lambda match: _SIGNS[match[0]], " ".join(text.split()))


def latex_table(runs: Sequence[RunFiles]) -> str:
    r"""A tabular to paste; needs \usepackage{booktabs}. Two lines a row: values, and their 95 % intervals.

    Args:
        runs: The models.

    Returns:
        LaTeX.

    Raises:
        ResultsError: For no runs or one model twice.
    """
    table = build(runs)
    columns = [column for _, group in table.groups for column in group]
    start, rules = 2, []
    heads = [""]
    for name, group in table.groups:
        heads.append(rf"\multicolumn{{{len(group)}}}{{c}}{{{escape(name)}}}")
        rules.append(rf"\cmidrule(lr){{{start}-{start + len(group) - 1}}}")
        start += len(group)
    lines = [
        "% needs \\usepackage{booktabs}",
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        " ".join(rules),
        " & ".join(["Model", *(_head(column) for column in columns)]) + r" \\",
        r"\midrule",
    ]
    previous = ""
    for i, row in enumerate(table.rows):
        if i and row.end != previous:
            lines.append(r"\midrule")
        previous = row.end
        name = escape(row.run.name)
        cells = [rf"\textit{{{name}}}" if row.end else name, *(_cell(table, row, c) for c in columns)]
        lines += [
            " & ".join(cells) + r" \\",
            " & ".join(["", *(_interval(row, c) for c in columns)]) + r" \\",
        ]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [f"% {escape('‡')} {escape(why)}; shown, but not ranked" for why, _ in table.unranked]
    lines += [f"% {escape('†')} {escape(note)}" for note in table.daggers]
    return "\n".join(lines) + "\n"


def _head(column: Column) -> str:
    said = [text for text in (column.reader, column.among) if text]
    reader = f" ({', '.join(said)})" if said else ""
    return escape(f"{column.label}{column.mark}{reader} {column.arrow}")


def _cell(table: Table, row: Row, column: Column) -> str:
    metric = row.metric(column)
    if metric is None or metric.value is None:
        return "--"
    value = escape(column.text(metric.value))
    value = rf"\textbf{{{value}}}" if (row.run.name, column.key) in table.bold else value
    return value + (escape("†") if metric.dagger else "")


def _interval(row: Row, column: Column) -> str:
    metric = row.metric(column)
    if metric is None or metric.value is None or metric.ci95 is None:
        return ""
    low, high = (escape(column.brief(end)) for end in metric.ci95)
    return rf"{{\scriptsize {low}--{high}}}"
