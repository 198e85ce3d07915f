"""Identity by a face recogniser that reads 112 x 112 crops on the ArcFace 5-point template.

arcface:FILE.onnx                      any such network as ONNX
arcface:FILE.pth, FILE.safetensors     an IResNet of insightface's arcface_torch, run in torch
arcface:buffalo_l                      the recogniser of an InsightFace pack
arcface:FILE?family=cosface&name=CosFace   a network of another training: its family decides daggers and Arc's column

Deng et al., ArcFace (CVPR 2019), and everything that keeps its input: InsightFace packs, CosFace,
MobileFaceNet. The weights are the user's, and so is the question of their licence.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import (
    Crop,
    Instrument,
    InstrumentError,
    available_cores,
    check_crops,
    file_sha256,
)
from metrics.instruments.insightface_pack import LICENCE, is_pack, recogniser

SIZE = 112
_BATCH = 32
_TRUE = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class ArcFace:
    """An ONNX recogniser: one image input [b, 3, 112, 112] or [b, 112, 112, 3], one output [b, d].

    mean, scale: pixels enter as (x - mean) / scale. Default (x - 127.5) / 127.5, InsightFace's; MobileFaceNet
        and other older networks were trained with scale 128.
    colour: "rgb" (default) or "bgr", the order that the network was trained on.
    flip: add the features of the mirrored crop (usual in LFW tests; twice the time).
    threads: onnxruntime's intra-op threads, 0 for one a core; changes numbers by rounding only.

    Raises InstrumentError for a missing file, one that is not ONNX, and one with other inputs or outputs.
    """

    reads = ("identity",)
    crop = Crop("arcface", SIZE)
    licence = "the user's file; see its source"
    needs: str | None = "an ONNX file of yours: arcface:PATH"
    family = "arcface"

    def __init__(
        self,
        path: str | os.PathLike[str],
        mean: float | str = 127.5,
        scale: float | str = 127.5,
        colour: str = "rgb",
        flip: bool | str = False,
        threads: int | str = 0,
    ) -> None:
        self.path = Path(path)
        self._mean, self._scale = _real("mean", mean), _real("scale", scale)
        if self._scale == 0:
            raise InstrumentError("arcface: scale must not be 0")
        if colour not in ("rgb", "bgr"):
            raise InstrumentError(f"arcface: colour is 'rgb' or 'bgr', not {colour!r}")
        if str(flip).lower() not in _TRUE:
            raise InstrumentError(f"arcface: flip is true or false, not {flip!r}")
        self._colour, self._flip = colour, _TRUE[str(flip).lower()]
        self.parameters: dict[str, Any] = {
            "mean": self._mean,
            "scale": self._scale,
            "colour": colour,
            "flip": self._flip,
        }
        self.name = f"arcface:{self.path.stem}"
        self._session = self._open(int(_real("threads", threads)))
        self.weights_sha256 = file_sha256(self.path)
        self._inspect()
        self.description = f"{self.path.name}: ONNX face recogniser, {self.dimensions}-d, 112 px"

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Embed a batch of faces.

        Args:
            crops: uint8 [n, 112, 112, 3] RGB on the five-point template, whatever `colour` the network reads.
            landmarks: Not used: they only made the crop.

        Returns:
            {"identity": float32 [n, d]}, as the network gives them, not scaled to length 1; with `flip` the
            sum over a crop and its mirror image.

        Raises:
            InstrumentError: For crops of another shape or type, and where the network does not run.
        """
        crops = check_crops(self.name, crops, SIZE)
        features = self._embed(crops)
        if self._flip:
            features = features + self._embed(crops[:, :, ::-1])
        return {"identity": features}

    def _open(self, threads: int) -> Any:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise InstrumentError(
                f"arcface: cannot read {self.path} ({error.strerror}); give an ONNX file"
            ) from error
        return session_of(data, self.path, threads)

    def _inspect(self) -> None:
        """Learn batch size and layout from the declared shape, and the width from one run."""
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise InstrumentError(
                f"{self.path} has {len(inputs)} inputs and {len(outputs)} outputs; "
                "a recogniser has one of each"
            )
        if inputs[0].type != "tensor(float)":
            raise InstrumentError(f"{self.path} reads {inputs[0].type}; export it with float32 input")
        shape = [side if isinstance(side, int) and side > 0 else None for side in inputs[0].shape]
        self._input = inputs[0].name
        if _fits(shape, (None, 3, SIZE, SIZE)):
            self._channels_last = False
        elif _fits(shape, (None, SIZE, SIZE, 3)):
            self._channels_last = True
        else:
            raise InstrumentError(
                f"{self.path} reads {inputs[0].shape}; a recogniser reads [batch, 3, {SIZE}, {SIZE}] "
                f"or [batch, {SIZE}, {SIZE}, 3]"
            )
        self._batch: int | None = shape[0]
        probe = self._run(np.full((self._batch or 2, SIZE, SIZE, 3), 127, np.uint8))
        if probe.ndim != 2 or len(probe) != (self._batch or 2) or probe.shape[1] < 2:
            raise InstrumentError(f"{self.path} returns {list(probe.shape)}; a recogniser returns [batch, d]")
        self.dimensions = probe.shape[1]

    def _embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        step = self._batch or _BATCH
        rows = np.empty((len(crops), self.dimensions), np.float32)
        for start in range(0, len(crops), step):
            part = crops[start : start + step]
            count = len(part)
            if self._batch and count < step:  # a fixed batch is filled up with copies of the last crop
                part = np.concatenate([part, np.repeat(part[-1:], step - count, axis=0)])
            rows[start : start + count] = self._run(part)[:count]
        return rows

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = crops[..., ::-1] if self._colour == "bgr" else crops
        x = (pixels.astype(np.float32) - np.float32(self._mean)) / np.float32(self._scale)
        if not self._channels_last:
            x = x.transpose(0, 3, 1, 2)
        try:
            output = self._session.run(None, {self._input: np.ascontiguousarray(x)})[0]
        except Exception as error:  # onnxruntime's errors share no other base
            text = f"{self.path} does not run on {list(x.shape)}: {_first_line(error)}"
            raise InstrumentError(text) from error
        return np.asarray(output, dtype=np.float32)


def create(
    path: str,
    mean: float | str = 127.5,
    scale: float | str = 127.5,
    colour: str = "rgb",
    flip: bool | str = False,
    threads: int | str = 0,
    precision: str = "fp32",
) -> Instrument:
    """Factory of the registry: by the file's suffix, torch or ONNX.

    Args:
        path: The file, or the name of an insightface pack.
        mean: Taken off each level of the crop; of an ONNX file alone.
        scale: What it is divided by then; of an ONNX file alone.
        colour: "rgb" or "bgr", the order that an ONNX file was trained on.
        flip: Whether the features of the mirrored crop are added (twice the time).
        threads: Of onnxruntime, 0 for one a core; of an ONNX file alone.
        precision: "fp32" or "bf16", of a torch file alone.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For a file that is not to be had or another network's, and for an unknown option.
    """
    if Path(path).suffix in (".pth", ".pt", ".safetensors"):
        if (mean, scale, colour) != (127.5, 127.5, "rgb"):
            raise InstrumentError(
                "arcface: mean, scale and colour belong to ONNX files; an IResNet's are known"
            )
        if str(flip).lower() not in _TRUE:
            raise InstrumentError(f"arcface: flip is true or false, not {flip!r}")
        from metrics.instruments.arcface_torch import ArcFaceTorch

        return ArcFaceTorch(path, _TRUE[str(flip).lower()], precision)
    if precision != "fp32":
        raise InstrumentError(
            f"arcface: an ONNX file runs in the precision it has; precision={precision} is torch's"
        )
    if not Path(path).exists() and is_pack(path):
        found = ArcFace(recogniser(path), mean, scale, colour, flip, threads)
        found.name, found.licence = f"arcface:{path}", LICENCE
        return found
    return ArcFace(path, mean, scale, colour, flip, threads)


def session_of(model: bytes, path: Path, threads: int) -> Any:
    """ONNX Runtime's session of a model.

    Args:
        model: The ONNX file's bytes.
        path: Where they come from, for messages.
        threads: In one operation; 0: one a core.

    Returns:
        onnxruntime.InferenceSession, on the CPU.

    Raises:
        InstrumentError: Where it does not run here.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InstrumentError("onnxruntime is not installed; pip install onnxruntime") from error
    # Weights kept in other files would escape the hash, and could name any file of this computer.
    if b"\n\x08location" in model:
        raise InstrumentError(f"{path} keeps its weights in other files; save it as one ONNX file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its errors are raised, not printed as well
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no other base
        raise InstrumentError(f"{path} is not an ONNX model that runs here: {_first_line(error)}") from error


def _fits(shape: list[int | None], wanted: tuple[int | None, ...]) -> bool:
    if len(shape) != len(wanted):
        return False
    return all(w is None or s is None or s == w for s, w in zip(shape, wanted, strict=True))


def _real(name: str, value: float | str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InstrumentError(f"arcface: {name} must be a number, not {value!r}")
    return number


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
