"""Swaps that exist as files: FaceForensics++ manipulations, the oracle of rendered data, images:DIR."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.data.lists.pair_list import PairList
from bench.data.lookup import find, holds
from bench.data.numbering import AS_NAMED, Numbering
from bench.data.pairs import ClipKey, Dataset, Pair
from bench.errors import DataError, UsageError, suggestion

ORDERS = ("target_source", "source_target")


def asked(spec: str, argument: str, options: Mapping[str, str]) -> tuple[Path, dict[str, str]]:
    """DIR?KEY=VALUE&KEY=VALUE taken apart.

    Args:
        spec: What --model said, for messages.
        argument: DIR, with or without options.
        options: Those that there are, with the values that hold where DIR does not say another.

    Returns:
        DIR and the value of every option.

    Raises:
        UsageError: For another option, or an order that there is not.
    """
    folder, question, query = argument.partition("?")
    values = dict(options)
    if not question or Path(argument).exists():
        return Path(argument), values
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if not equals or key not in options:
            raise UsageError(
                f"--model {spec}: {part!r} is no option of it.{suggestion(key, options)} There are {', '.join(options)}, "
                "as DIR?order=source_target"
            )
        values[key] = value
    if values.get("order", ORDERS[0]) not in ORDERS:
        raise UsageError(f"--model {spec}: the order is {' or '.join(ORDERS)}, not {values['order']!r}")
    if (form := values.get("name", "")) and not all(part in form for part in ("{source}", "{target}")):
        raise UsageError(
            f"--model {spec}: the name {form!r} lacks {{source}} or {{target}}, as name={{source}}-{{target}}"
        )
    return Path(folder), values


class Manipulation:
    """ROOT/manipulated_sequences/<name>, clips named target_source.

    Args:
        dataset: Where it is looked for.
        name: Of the manipulation.

    Raises:
        DataError: When the data holds none of that name.
    """

    def __init__(self, dataset: Dataset, name: str) -> None:
        self._dataset, self._name = dataset, name
        if name not in dataset.manipulations():
            raise DataError(
                f"no swaps by {name} in this data: {self.where()} is not there. Download them, or choose "
                f"another --model (here: {', '.join(dataset.manipulations()) or 'none as files'})"
            )

    def key(self, pair: Pair) -> ClipKey:
        """The key of a pair's clip."""
        return ClipKey(self._name, self._dataset.compression, pair.id)

    def path(self, pair: Pair) -> Path | None:
        """The clip's file; None when it is not on the disk."""
        return self._dataset.path(self.key(pair))

    def where(self) -> str:
        """The folder of the manipulation."""
        return str(self._dataset.where(self._name))


class ImagesFolder:
    """A folder of anybody's swaps.

    For each pair it holds DIR/target_source.mp4, a folder DIR/target_source of frames whose names end in the frame's
    number in the target's clip (from 0), or one image DIR/target_source.png, which is taken as the swap of frame 0. They
    may also lie in DIR/videos, DIR/frames or DIR/images, end in capitals, and have a _0 behind the name.

    Args:
        folder: DIR.
        order: What the names say first: "target_source", as in FaceForensics++, or "source_target".
        numbering: What the frames' numbers mean.
        form: Of the names, as "{source}-{target}"; "": by `order`.

    Raises:
        DataError: When it is not there.
    """

    def __init__(
        self, folder: Path, order: str = ORDERS[0], numbering: Numbering = AS_NAMED, form: str = ""
    ) -> None:
        self._folder, self._form = folder, form
        self.order, self.numbering = order, numbering
        if not folder.is_dir():
            raise DataError(
                f"images:{folder}: no such folder; expected a folder of target_source.mp4 videos, "
                "target_source/ folders of frames, or target_source.png images"
            )

    def path(self, pair: Pair) -> Path | None:
        """The folder, video or image of a pair, in that order; None where there is none."""
        # Of a pair list a clip may be called by its path.
        source, target = pair.source.rpartition("/")[2], pair.target.rpartition("/")[2]
        if self._form:
            return find(self._folder, self._form.replace("{source}", source).replace("{target}", target))
        return find(self._folder, pair.id if self.order == ORDERS[0] else f"{source}_{target}")

    def where(self) -> str:
        """DIR."""
        return str(self._folder)

    def there(self) -> str:
        """What DIR holds, for messages."""
        return holds(self._folder)


class ListedSwaps:
    """Finished swaps that a pair list names, line by line.

    Args:
        dataset: The list.
        column: Of the names.
    """

    def __init__(self, dataset: PairList, column: str) -> None:
        self._dataset, self.column = dataset, column

    def path(self, pair: Pair) -> Path | None:
        """The file or folder that the pair's line names; None where it names none, or nothing is there."""
        return self._dataset.swap(pair, self.column)

    def where(self) -> str:
        """The folder, and the column of the list."""
        return f"{self._dataset.swaps or self._dataset.root} by the column {self.column} of {self._dataset.table.file.name}"
