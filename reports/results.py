"""The schema of results.json, version 2: one file for one model of a run.

    {"schema_version": 2,
     "run":     {command, model, protocol, data, gallery, instruments, environment, seed, started, seconds},
     "counts":  {expected, used, failed: {reason: n}},         expected == used + sum of failed, always
     "metrics": {key: {value, ci95, n, clusters, unit, higher_is_better, instrument, version,
                       label, group, order, range, description, unranked, headline, gallery, curve,
                       needs_source, without_source: {value, ci95, n, clusters, missing}, ...}},
     "back":    {expected, used, failed} of the ways back of a cycle; null in any other run
     "sourceless": {expected, used, failed} of the swaps whose source's clip is not there; null where all are
     "check":   {kind, text, mend, clips} of finished swaps: what was found before they were scored; else null
     "models":  the models that the run scored, this one among them; "page": the page that was written with them
     "files":   {path beside results.json: sha256 of the file as it was written}}   empty in older results

A key is a metric's name (`identity`) or, where two instruments read the same thing, `identity@arcface`.
Numbers are finite JSON numbers; a metric that could not be measured has value null. No pickle, no code.
How a metric is called, where it stands and what it measures travels with its numbers, so that a report needs no list of
metrics. Version 1, which had not all of that, is read as well (reports/versions.py).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from reports.described import DataInfo, InstrumentInfo, SwapsCheck
from reports.fields import Closed, Count, Interval, Measured, Name, Number, Open, Seen, Sha256, plain
from reports.galleries import GalleryInfo, GalleryPoint
from reports.policies import OtherPolicy, WithoutSource
from reports.rules import ProtocolInfo
from reports.versions import CURRENT, READ, completed, upgraded
from smoothswap.plumbing.files import prove, write_whole
from smoothswap.plumbing.texts import json_of

MAX_BYTES = 8 * 2**20  # a results.json is some 10 kB; per-frame readings live in Parquet
# Rows that never saw the source: what a swap must do better than to have put anybody's face in.
SOURCE_FREE = ("copy-target", "blur", "stranger")
# Rows that mark the ends of the scale rather than compete in it.
REFERENCES = (*SOURCE_FREE, "copy-source", "oracle")


class ResultsError(ValueError):
    """A results file that cannot be used: what is wrong, in which file, and how to mend it."""


class OutputError(OSError):
    """An output file that could not be written; nothing half-written is left behind."""


class MetricValue(Closed):
    """One metric of one model.

    value: in `unit`; None when nothing could be measured (a NaN handed in becomes None).
    ci95: 95 % interval, clustered by pair; None when there are too few clusters for one.
    n: readings that enter the value; clusters: independent groups among them; missing: frames without one.
    label, group, order: its column, the heading over it and its place (metrics.spec.Declared). range: least and
        greatest possible value, None where there is no end.
    dagger: why this number must not be ranked against others, as the paper's † in Table 1 (the model was
        trained with the instrument that reads it). It is printed with the number. `Results` sets it by
        itself from `run.model.trained_with`; set it by hand for any other conflict.
    unranked: why nobody's number in this column may be ranked (metrics.spec.Declared); None: they may. Results of before
        it existed are given what the metric declares today, by its key.
    headline: whether its column belongs to the report's first table (metrics.spec.Declared); looked up likewise.
    gallery: people among whom it searches; None: it searches none, or the results do not say.
    curve: the same metric among fewer people, the smallest gallery first.
    needs_source: whether a frame without its source has no value (metrics.spec.Declared); looked up as `headline` is.
    without_source: of a partial download, the same metric with the frames whose source is not there. They are never in
        `value`, on which words and headlines rest: there a model that does nothing could only gain by them.
    """

    value: Measured
    ci95: Interval = None
    n: Count
    clusters: Count
    unit: str = Field(max_length=40)
    higher_is_better: bool
    instrument: Name | None = None
    version: int | str
    missing: Count | None = None
    missing_policy: str | None = None
    excluding_missing: OtherPolicy = None
    counting_missing: OtherPolicy = None
    label: Name
    group: Name
    order: int
    range: tuple[Number | None, Number | None]
    description: str | None = Field(default=None, max_length=2000)
    dagger: str | None = Field(default=None, min_length=1, max_length=500)
    unranked: str | None = Field(default=None, min_length=1, max_length=500)
    headline: bool = False
    gallery: Count | None = None
    curve: tuple[GalleryPoint, ...] = Field(default=(), max_length=20)
    needs_source: bool = True
    without_source: WithoutSource | None = None

    @property
    def ranked(self) -> bool:
        """Whether models may be ordered by this number."""
        return not self.dagger and not self.unranked

    @model_validator(mode="after")
    def _consistent(self) -> MetricValue:
        if self.clusters > self.n:
            raise ValueError(f"{self.clusters} clusters cannot come from n = {self.n} readings")
        if self.n == 0 and self.value is not None:
            raise ValueError("a value from n = 0 readings; it must be null")
        return self


class Counts(Closed):
    """Frames of the ledger: nothing is dropped in silence."""

    expected: Count
    used: Count
    failed: dict[Name, Count] = Field(default_factory=dict, max_length=100)

    @model_validator(mode="after")
    def _adds_up(self) -> Counts:
        failed = sum(self.failed.values())
        if self.expected != self.used + failed:
            raise ValueError(
                f"expected {self.expected} frames, but used {self.used} + failed {failed} "
                f"= {self.used + failed}; every frame is either used or has a reason"
            )
        return self


class ModelInfo(Open):
    """The swapper.

    trained_with: instruments that its training used: families, names, or sha256 of weights.
    departures: where weights that come with the package were trained otherwise than the paper's; () in older results.
    """

    name: Name
    weights_sha256: str | None = None
    reference: bool | None = None
    trained_with: tuple[str, ...] = ()
    departures: tuple[str, ...] = ()

    @property
    def is_reference(self) -> bool:
        """True for a row that marks an end of the scale; by name when `reference` is not stated."""
        return self.name in REFERENCES if self.reference is None else self.reference


class Run(Closed):
    """What ran, on what, with what: enough to run it again. `seconds` is wall time.

    gallery: the real faces that ID retrieval searched; None: older results do not say.
    rescored: when its metrics were made again from its stored readings (bench.rescore); None: never.
    seen: what the instruments and the model knew of the run's people before (bench.leaks); empty in older results.
    """

    command: str = Field(max_length=100_000)
    model: ModelInfo
    protocol: ProtocolInfo
    data: DataInfo
    gallery: GalleryInfo | None = None
    instruments: tuple[InstrumentInfo, ...]
    environment: dict[str, JsonValue]
    seed: Annotated[int, BeforeValidator(plain)]
    started: AwareDatetime
    rescored: AwareDatetime | None = None
    seconds: Annotated[Number, Field(ge=0)]
    seen: tuple[Seen, ...] = Field(default=(), max_length=200)


class Results(Closed):
    """One results.json.

    back: of a cycle alone, what became of the ways back of the frames that have an original to go back to.
    sourceless: of a partial download, the frames whose source's clip is not there while the target shows a face and the
    swap's clip is there; in the ledger they are `not_available`.
    check: of finished swaps alone. All three are None in files that were written without them.
    models: names of all models of the run that wrote it; page: its page's file beside them. () and None in older files.
    """

    schema_version: Literal[2] = 2
    run: Run
    counts: Counts
    back: Counts | None = None
    sourceless: Counts | None = None
    metrics: dict[Name, MetricValue] = Field(max_length=200)
    check: SwapsCheck | None = None
    models: tuple[Name, ...] = Field(default=(), max_length=1000)
    page: Name | None = None
    files: dict[Name, Sha256] = Field(default_factory=dict, max_length=20)

    @model_validator(mode="before")
    @classmethod
    def _of_any_version(cls, content: Any) -> Any:
        """Version 1 as version 2, also where it stands inside of another file (a baseline)."""
        version = content.get("schema_version") if isinstance(content, dict) else None
        if isinstance(version, bool) or version not in READ:
            return content
        return upgraded(content) if version == 1 else completed(content)

    @model_validator(mode="after")
    def _mark(self) -> Results:
        """Mark every number read by an instrument that the model was trained with."""
        for key, metric in self.metrics.items():
            if metric.dagger is None and (why := self._trained_with(metric.instrument)):
                note = f"{self.run.model.name} was trained with {why}, which reads this number"
                self.metrics[key] = metric.model_copy(update={"dagger": note})
        return self

    def _trained_with(self, instrument: str | None) -> str:
        """The instrument, with its family where it is only that which the training shares; "" where it shares nothing.

        `arcface:a.onnx` and `arcface:b.onnx` are one family; so are two files of equal sha256.
        """
        if instrument is None:
            return ""
        trained = {name.lower() for name in self.run.model.trained_with}
        families = {name.split(":")[0] for name in trained}
        known = [info for info in self.run.instruments if info.name == instrument]
        family = next((info.family for info in known if info.family), instrument.split(":")[0]).lower()
        hashes = {info.weights_sha256.lower() for info in known if info.weights_sha256}
        if instrument.lower() in trained or hashes & trained:
            return instrument
        if family in families or instrument.split(":")[0].lower() in families:
            return instrument if family == instrument.lower() else f"{instrument} or its family {family}"
        if shared := sorted({name.lower() for info in known for name in info.kin} & trained):
            return f"{shared[0]}, kin of {instrument}"
        return ""

    def to_json(self) -> str:
        """The text of results.json. Raises ResultsError for numbers that JSON cannot hold."""
        try:
            return (
                json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            )
        except ValueError as error:
            raise ResultsError(
                f"results of {self.run.model.name!r} hold a number that is not finite, "
                f"which JSON cannot say: {error}"
            ) from error


def load(path: str | os.PathLike[str]) -> Results:
    """Read and check one results.json, of this version or an older one.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        ResultsError: With the file, the field and the remedy.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ResultsError(f"no results at {path}: it is written last, so the run did not finish") from None
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from error
    if len(text) > MAX_BYTES:
        raise ResultsError(
            f"{path} is larger than {MAX_BYTES // 2**20} MB, so it is not a results.json "
            "(per-frame readings belong in Parquet)"
        )
    try:
        content = json_of(text)
    except ValueError as error:
        raise ResultsError(
            f"{path} is not whole JSON ({error}); score the model again to write it anew"
        ) from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, bool) or version not in READ:
        stated = f"schema_version {version!r}" if version is not None else "no schema_version"
        raise ResultsError(
            f"{path} has {stated}, this program reads versions {' and '.join(map(str, READ))} and writes {CURRENT}; "
            "use the release that wrote it, or score the model again"
        )
    try:
        return Results.model_validate(content)
    except ValidationError as error:
        raise ResultsError(f"{path}: {explain(error)}") from None


def explain(error: ValidationError, first: int = 3) -> str:
    """A pydantic error in one line.

    Args:
        error: What pydantic raised.
        first: How many fields are named.

    Returns:
        The first few fields with what is wrong in each.
    """
    errors = error.errors(include_url=False, include_input=False)
    messages = [
        f"{'.'.join(_shown(str(part)[:80]) for part in e['loc']) or 'results'}: "
        f"{e['msg'].removeprefix('Value error, ')}"
        for e in errors
    ]
    more = f" (and {len(messages) - first} more)" if len(messages) > first else ""
    return "; ".join(messages[:first]) + more


def _shown(name: str) -> str:
    """A name of a foreign file on one line."""
    return name if name.isprintable() else ascii(name)


def write_atomic(path: str | os.PathLike[str], content: Results | str | bytes) -> Path:
    """Write a file whole or not at all: beside it first, then moved into place. Makes missing folders.

    Args:
        path: Where.
        content: Results, text or bytes.

    Returns:
        The path.

    Raises:
        OutputError: When the folder is full, read-only or no folder (one line: what, where, how to mend).
    """
    path = Path(path)
    text = content.to_json() if isinstance(content, Results) else content
    # A command line may hold bytes that are no UTF-8.
    data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    try:
        write_whole(path, data)
    except OSError as error:
        raise OutputError(
            f"cannot write {path} ({len(data):,} bytes): {error.strerror or error}; "
            "free space there or choose another folder with --out"
        ) from error
    return path


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written, before the work for it begins. Raises OutputError."""
    try:
        prove(path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; choose another file, or free space there"
        ) from error
