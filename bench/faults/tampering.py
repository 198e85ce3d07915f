"""Every way of changing a finished run that we could think of, by kind: bench.verify has to name all but the harmless ones.

Two states of each are tried: the hashes left alone, and put right as somebody would who knows of them.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from bench.errors import EXIT_DATA, EXIT_OK, EXIT_USAGE
from bench.faults.tampered import (
    Act,
    Content,
    Rows,
    Run,
    TamperFault,
    but,
    cells,
    column,
    fewer,
    first_ok,
    having,
    kept,
    metric,
    put,
    scaled,
    times,
    together,
    turned,
)
from bench.faults.tampered_results import RESULTS

FRAMES, VIDEO, ORIGINALS, PICTURES = (
    "frames.parquet",
    "video.parquet",
    "../originals.parquet",
    "pictures.parquet",
)


def _frames(rows: Callable[[Rows], list[int]], n: int) -> Act:
    return together(kept(FRAMES, rows), fewer(n))


def _first_clip_gone(table: Rows) -> list[int]:
    return [i for i, clip in enumerate(table["clip"]) if clip != table["clip"][0]]


def _clip_rows(run: Run) -> int:
    clips = pq.read_table(run.folder / run.model / FRAMES, columns=["clip"])["clip"].to_pylist()
    return clips.count(clips[0])


def _clip_gone(run: Run) -> None:
    n = _clip_rows(run)
    together(_frames(_first_clip_gone, n), put("run", "data", "clips", value=lambda old: old - 1))(run)


def _exchanged(table: Rows) -> None:
    table["target"], table["source"] = table["source"], table["target"]


def _removed(name: str) -> Act:
    return lambda run: (run.folder / run.model / name).unlink()


def _model_gone(run: Run) -> None:
    shutil.rmtree(run.folder / run.others[0])


def _reference_gone(run: Run) -> None:
    names = [name for name in run.others if name in ("copy-source", "copy-target", "oracle")]
    shutil.rmtree(run.folder / names[-1])


def _model_twice(run: Run) -> None:
    shutil.copytree(run.folder / run.model, run.folder / f"{run.model}-2")
    run.results(put_name(f"{run.model}-2"), f"{run.model}-2")


def put_name(name: str) -> Callable[[Content], None]:
    """A change of the model's name in its results."""

    def change(content: Content) -> None:
        content["run"]["model"]["name"] = name

    return change


def _page(change: Callable[[str], str]) -> Act:
    def act(run: Run) -> None:
        path = run.folder / "report.html"
        text = path.read_text()
        changed = change(text)
        if changed == text:
            raise LookupError("the page has not what is to be changed")
        path.write_text(changed)

    return act


def _better_page(text: str) -> str:
    """A number of the table made another one."""
    at = text.index("<td", text.index("<tbody"))
    digit = next(i for i in range(text.index(">", at), len(text)) if text[i].isdigit())
    return text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :]


def _foreign_page(run: Run) -> None:
    """The page of the run as it was before its numbers changed: of other results of the same names."""
    from reports.folders import gather
    from reports.html import render

    path = run.folder / run.model / "results.json"
    kept_as = path.read_bytes()
    metric("identity", value=scaled(0.99))(run)
    runs, pictures = gather([run.folder / run.model])
    (run.folder / "report.html").write_text(render(runs, pictures))
    path.write_bytes(kept_as)


def _noted(run: Run) -> None:
    (run.folder / "notes.txt").write_text("mine")


TABLES = (
    TamperFault("a frame left out", _frames(but(1), 1)),
    TamperFault("a frame left out unsaid", kept(FRAMES, but(1))),
    TamperFault("a clip left out", _clip_gone),
    TamperFault("a frame twice", _frames(lambda table: [*but(-1)(table), len(table["clip"]) - 1, 0], -1)),
    TamperFault("rows in another order", kept(FRAMES, lambda table: list(range(len(table["clip"])))[::-1])),
    TamperFault("no rows", _frames(lambda table: [], 0)),
    TamperFault("a frame's number", cells(FRAMES, "frame", lambda old: old + 1, first_ok)),
    TamperFault("a position", cells(FRAMES, "position", lambda old: old + 1, first_ok)),
    TamperFault("a source's frame", cells(FRAMES, "source_frame", lambda old: old + 1, first_ok)),
    TamperFault("how many frames there were", cells(FRAMES, "there", lambda old: old + 5)),
    TamperFault("a status", cells(FRAMES, "status", lambda old: "no_face", first_ok)),
    TamperFault("a reason", cells(FRAMES, "reason", lambda old: "blurred", first_ok)),
    TamperFault("the rows' model", cells(FRAMES, "model", lambda old: "yours")),
    TamperFault("the manipulation", cells(FRAMES, "manipulation", lambda old: "Deepfakes")),
    TamperFault("the compression", cells(FRAMES, "compression", lambda old: "raw")),
    TamperFault("a cluster", cells(FRAMES, "cluster", lambda old: "x", first_ok)),
    TamperFault("a person", cells(FRAMES, "target_person", lambda old: "x", first_ok)),
    TamperFault("target and source exchanged", lambda run: run.table(FRAMES, _exchanged)),
    TamperFault("how many faces", cells(FRAMES, "faces", lambda old: 7)),
    TamperFault("a face's box", cells(FRAMES, "box", times(1.5))),
    TamperFault("the detector's score", cells(FRAMES, "score", lambda old: 0.99)),
    TamperFault("whether a frame counts", cells(FRAMES, "posed", lambda old: not old, first_ok)),
    TamperFault("a frame's value", cells(FRAMES, "metric/identity", lambda old: old + 0.01, first_ok)),
    TamperFault("a column of values", cells(FRAMES, "metric/identity", lambda old: old + 0.001)),
    TamperFault("a column of values left out", column(FRAMES, "metric/identity", None)),
    TamperFault("a column of values invented", column(FRAMES, "metric/glow", lambda table: [1.0] * len(table["clip"]))),
    TamperFault("a rank", cells(FRAMES, "rank/id_retrieval", lambda old: 1.0)),
    TamperFault("the ranks left out", column(FRAMES, "rank/id_retrieval", None)),
    TamperFault("what a missing face counts as", cells(FRAMES, "missing/id_retrieval", lambda old: 100.0,
                lambda table: [0])),
    TamperFault("a reading", cells(FRAMES, "swap/", turned, first_ok)),
    TamperFault("a reading's last digits", cells(FRAMES, "swap/", times(1.00001), first_ok),
                "less than rounding does to a metric: no number that is printed changes"),
    TamperFault("a reading left out", column(FRAMES, "swap/", None)),
    TamperFault("a picture's features", cells(FRAMES, "picture/", times(1.1), first_ok)),
    TamperFault("a pixel metric's value", cells(FRAMES, "metric/ssim_outside", lambda old: 1.0, first_ok)),
    TamperFault("an original's reading", cells(ORIGINALS, "original/", turned, lambda table: [0])),
    TamperFault("an original's status", cells(ORIGINALS, "status", lambda old: "no_face", lambda table: [0])),
    TamperFault("an original's person", cells(ORIGINALS, "person", lambda old: "x", lambda table: [0])),
    TamperFault("an original left out", kept(ORIGINALS, but(0))),
    TamperFault("an original twice", kept(ORIGINALS, lambda table: [0, *range(len(table["clip"]))])),
    TamperFault("the gallery's frames", cells(ORIGINALS, "gallery", lambda old: False, lambda table: [0])),
    TamperFault("the truth's reading", cells("../truth.parquet", "truth/", turned, lambda table: [0]),
                fits=having("../truth.parquet")),
    TamperFault("a frame of video left out", kept(VIDEO, but(1)), fits=having(VIDEO)),
    TamperFault("a value of video", cells(VIDEO, "metric/", lambda old: old * 0.9), fits=having(VIDEO)),
    TamperFault("a reading of video", cells(VIDEO, "swap/", turned, first_ok), fits=having(VIDEO)),
    TamperFault("a picture left out", kept(PICTURES, but(0)), fits=having(PICTURES)),
    TamperFault("a picture's words", cells(PICTURES, "metric_text", lambda old: "cosine 0.99"), fits=having(PICTURES)),
    TamperFault("no pictures", _removed(PICTURES), fits=having(PICTURES)),
    TamperFault("frames cut off", lambda run: _cut(run, FRAMES)),
    TamperFault("no frames", _removed(FRAMES)),
    TamperFault("no originals", _removed(ORIGINALS)),
    TamperFault("no truth", _removed("../truth.parquet"), fits=having("../truth.parquet")),
    TamperFault("no video", _removed(VIDEO), fits=having(VIDEO)),
    TamperFault("no results", _removed("results.json")),
)  # fmt: skip
"""Of tables and files."""
FOLDER = (
    TamperFault("a model left out", _model_gone),
    TamperFault("a reference left out", _reference_gone),
    TamperFault("a model twice", _model_twice),
    TamperFault("the page left out", _removed("../report.html"), fits=having("../report.html")),
    TamperFault("the page emptied", _page(lambda text: ""), fits=having("../report.html")),
    TamperFault("a number of the page", _page(_better_page), fits=having("../report.html")),
    TamperFault("words of the page", _page(lambda text: text.replace("</h1>", " (best)</h1>")),
                fits=having("../report.html")),
    TamperFault("a script in the page", _page(lambda text: text.replace("</main>", "</main><script>1</script>")),
                fits=having("../report.html")),
    TamperFault("the page cut off", _page(lambda text: text[: len(text) // 2]), fits=having("../report.html")),
    TamperFault("another run's page", _foreign_page, fits=having("../report.html")),
    TamperFault("a file besides", _noted,
                "files that no run wrote are the owner's own and are read by nothing"),
)  # fmt: skip
"""Of the page and the folder."""
FAULTS = (*RESULTS, *TABLES, *FOLDER)
"""Every kind."""


def _cut(run: Run, name: str) -> None:
    path = run.folder / run.model / name
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def violations(run: Path) -> list[str] | None:
    """What bench.verify says of a run.

    Args:
        run: The folder.

    Returns:
        A line each; None where it ended otherwise than it says that it does.
    """
    from bench.verify.__main__ import main

    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main([str(run), "--json"])
    except Exception:  # noqa: BLE001  # what is counted
        return None
    if code == EXIT_USAGE:
        return ["no run is there"]
    return list(json.loads(said.getvalue())["violations"]) if code in (EXIT_OK, EXIT_DATA) else None


def page_again(run: Path) -> None:
    """Make the page of a changed run again, as somebody would who wants all to fit; one that cannot be made stays."""
    from reports.__main__ import main

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main([str(run), "-o", str(run / "report.html")])


kinds: dict[str, Callable[[Run, bool], None]] = {fault.name: fault.inject for fault in FAULTS}
"""By name, what makes each: of a run, and whether its hashes are put right."""
