"""What a training run writes down as it goes: metrics.csv, samples/NNNNNN.png and, if asked for, both for TensorBoard."""

from __future__ import annotations

import csv
import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from smoothswap.checkpoint import DiskError, write_atomic


class Log:
    """The log of the run in folder `out`: a row a step with these columns, the first two of which are step and seconds.

    Raises ValueError where TensorBoard is asked for and not installed; writing raises DiskError.
    """

    def __init__(self, out: Path, columns: list[str], tensorboard: bool = False) -> None:
        self.out, self.columns, self.tensorboard = out, columns, tensorboard
        self.board: Any = None
        if tensorboard and importlib.util.find_spec("tensorboard") is None:
            raise ValueError("--tensorboard needs a package: pip install 'smoothswap-bench[tensorboard]'")

    @property
    def path(self) -> Path:
        """The log's file."""
        return self.out / "metrics.csv"

    def cut(self, step: int) -> None:
        """Keep the rows up to `step`, which a checkpoint holds; steps after it come again. 0: a new log."""
        lines = self.path.read_text().split("\n")[:-1] if self.path.is_file() and step else []
        kept = [",".join(self.columns)] + [
            line for line in lines[1:] if line[:1].isdigit() and int(line.split(",")[0]) <= step
        ]  # what has no end of line was cut off by a kill or a full disk
        write_atomic(self.path, ("\r\n".join(kept) + "\r\n").encode())

    def open(self, step: int) -> None:
        """Be ready for the steps after `step`."""
        if self.tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            try:
                self.board = SummaryWriter(str(self.out / "tensorboard"), purge_step=step + 1)
            except OSError as error:
                raise DiskError(self.out / "tensorboard", error) from error

    def close(self) -> None:
        """Let TensorBoard's writer go; the rest is closed after every row."""
        if self.board is not None:
            self.board.close()

    def row(self, step: int, seconds: float, values: dict[str, float]) -> None:
        """One line, six digits a value; missing columns stay empty.

        Args:
            step: Steps done.
            seconds: Of training, kept to a tenth.
            values: By column; TensorBoard has each as a scalar of this name.

        Raises:
            DiskError: It cannot be written.
        """
        texts = {"step": str(step), "seconds": f"{seconds:.1f}"} | {k: f"{v:.6g}" for k, v in values.items()}
        line = io.StringIO(newline="")
        csv.DictWriter(line, self.columns, restval="").writerow(texts)
        try:
            with self.path.open("a", newline="") as file:
                file.write(line.getvalue())
            if self.board is not None:
                for name, value in values.items():
                    self.board.add_scalar(name, value, step)
        except OSError as error:
            raise DiskError(self.path, error) from error

    def picture(self, step: int, grid: np.ndarray) -> None:
        """A picture of the state, as a file and for TensorBoard.

        Args:
            step: Steps done: the file's name.
            grid: RGB, uint8 [h, w, 3].

        Raises:
            DiskError: It cannot be written.
        """
        content = io.BytesIO()
        Image.fromarray(grid).save(content, "PNG")
        write_atomic(self.out / "samples" / f"{step:06d}.png", content.getvalue())
        if self.board is not None:
            self.board.add_image("samples", grid, step, dataformats="HWC")
            self.board.flush()
