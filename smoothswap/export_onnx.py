"""Export the generator and the embedder to ONNX, checked against torch before the files take their place.

    python -m smoothswap.export_onnx NAME|PATH -o DIR

writes DIR/<name>-generator.onnx and DIR/<name>-embedder.onnx (float32, any batch size n, s the model's side):

    embedder    face [n, 3, s, s] in [-1, 1], FFHQ-aligned, RGB         -> identity [n, dim] of unit norm
    generator   target [n, 3, s, s] as above, identity [n, dim]         -> swapped [n, 3, s, s], to be clamped to [-1, 1]

Running the files needs onnxruntime alone.
Weights of an embedder alone give one file. One line a file on standard output: path, size, largest difference.
Each file's metadata hold what it was trained with (smoothswap.lineage).
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from smoothswap import lineage, pretrained
from smoothswap.checkpoint import CheckpointError, write_atomic
from smoothswap.cli import Parser, command, foresee_folder
from smoothswap.errors import EXIT_OK, DataError, UsageError
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator
from smoothswap.plumbing.made import make_folder

EXAMPLES = """
examples:
  python -m smoothswap.export_onnx smoothswap-lfw-64 -o onnx          the generator and its embedder
  python -m smoothswap.export_onnx recogniser-96 -o onnx              an embedder alone

exit codes: 0 written, 2 an unknown name, 3 bad weights, a network that differs, or a folder that cannot be written
"""
OPSET = 17  # onnxruntime 1.12 and later
TOLERANCE = 1e-4  # largest difference from torch, of values in about [-1, 1]
_CHECKED = (1, 3)  # batch sizes compared; the trace is made with 2


class ExportError(DataError):
    """A network that does not compute in ONNX what it computes in torch, or cannot be exported at all."""


def to_onnx(network: Generator | Embedder, about: Mapping[str, str] | None = None) -> tuple[bytes, float]:
    """A network as an ONNX file, compared with torch.

    Args:
        network: Of ours; it is moved to the CPU.
        about: What the file's metadata say, by key.

    Returns:
        The file, and the largest absolute difference between onnxruntime on the CPU and torch.

    Raises:
        ExportError: The network cannot be exported, or differs by more than 1e-4.
    """
    if importlib.util.find_spec("onnx") is None:
        raise ExportError("torch's exporter needs the package onnx: pip install 'onnx>=1.17,<2'")
    network = network.eval().cpu()
    names, output = (
        (("face",), "identity") if isinstance(network, Embedder) else (("target", "identity"), "swapped")
    )
    axes = {name: {0: "n"} for name in (*names, output)}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        # The exporter that follows TorchScript needs onnx but not onnxscript; torch calls it the old one.
        warnings.simplefilter("ignore")
        file = Path(folder) / "network.onnx"
        try:
            torch.onnx.export(
                network,
                _inputs(network, 2),
                file,
                dynamo=False,
                opset_version=OPSET,
                input_names=list(names),
                output_names=[output],
                dynamic_axes=axes,
            )
        except (ImportError, RuntimeError, ValueError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ExportError(
                f"torch {torch.__version__} cannot export the {_kind(network)}: {reason}"
            ) from error
        content = _with_metadata(file.read_bytes(), about or {})
    worst = difference(content, network)
    if not worst <= TOLERANCE:
        raise ExportError(
            f"the {_kind(network)} differs by {worst:.1e} in ONNX, more than {TOLERANCE}; not written"
        )
    return content, worst


def difference(content: bytes, network: Generator | Embedder) -> float:
    """Largest difference of an ONNX file's outputs from the network's, on random input in batches of 1 and 3.

    Args:
        content: The ONNX file, run by onnxruntime on the CPU.
        network: The one that it was made from, on the CPU in eval mode.

    Returns:
        Its absolute value, in the outputs' unit: of pixels on [-1, 1], or of a unit vector's entries.

    Raises:
        ExportError: The outputs have another shape than the network's.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    worst = 0.0
    for n in _CHECKED:
        inputs = _inputs(network, n)
        named = {node.name: value.numpy() for node, value in zip(session.get_inputs(), inputs, strict=True)}
        with torch.no_grad():
            wanted: Tensor = network(*inputs)
        found = torch.from_numpy(session.run(None, named)[0])
        if found.shape != wanted.shape:
            raise ExportError(
                f"ONNX gives {list(found.shape)} for a batch of {n}, torch {list(wanted.shape)}"
            )
        worst = max(worst, float((found - wanted).abs().max()))
    return worst


def _inputs(network: Generator | Embedder, n: int) -> tuple[Tensor, ...]:
    random = torch.Generator().manual_seed(n)
    faces = torch.rand(n, 3, network.options.size, network.options.size, generator=random) * 2 - 1
    if isinstance(network, Embedder):
        return (faces,)
    return faces, nn.functional.normalize(
        torch.randn(n, network.options.identity_dim, generator=random), dim=1
    )


def _with_metadata(content: bytes, about: Mapping[str, str]) -> bytes:
    import onnx

    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, dict(about))
    return bytes(model.SerializeToString())


def _about(path: Path, network: Generator | Embedder) -> dict[str, str]:
    """What a file says of itself, so that what is made with it can name its teachers: bench.ffpp --trained-with."""
    known = pretrained.lineage_of(path)
    if isinstance(network, Embedder):
        own = lineage.Lineage(networks=frozenset({pretrained.fingerprint(network)}))
        known = own | lineage.of_embedder(pretrained.card(path))
    return {"smoothswap.weights": path.name, "smoothswap.lineage": json.dumps(known.as_json())}


def lineage_of(path: Path) -> lineage.Lineage | None:
    """The lineage in a file that `export` wrote; None for another ONNX file, and one that cannot be read."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its errors are caught, not printed as well
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        stored = session.get_modelmeta().custom_metadata_map["smoothswap.lineage"]
        return lineage.Lineage.of_json(json.loads(stored))
    except Exception:  # noqa: BLE001  # onnxruntime's errors share no other base
        return None


def _kind(network: nn.Module) -> str:
    return type(network).__name__.lower()


def export(name: str | Path, folder: Path) -> list[tuple[Path, float]]:
    """Write the ONNX files of weights. All are checked before the first is written.

    Args:
        name: Of the weights, or the path of their .safetensors.
        folder: Where the files go; made where it is missing.

    Returns:
        (path, largest difference from torch) of each file: generator and embedder, or an embedder alone.

    Raises:
        WeightsError: The weights are missing, damaged or do not fit this version.
        ExportError: A network cannot be exported, or computes something else in ONNX.
        CheckpointError: The folder or a file cannot be written.
    """
    path = pretrained.locate(name)
    if pretrained.card(path).get("part") == "embedder":
        networks: list[Generator | Embedder] = [pretrained.load_embedder(path)[0]]
    else:
        model = pretrained.load(path)
        networks = [model.generator, model.embedder]
    made = [
        (folder / f"{path.stem}-{_kind(network)}.onnx", *to_onnx(network, _about(path, network)))
        for network in networks
    ]
    try:
        make_folder(folder)
    except OSError as error:
        raise CheckpointError(f"cannot make the folder {folder} ({error.strerror})") from error
    for file, content, _ in made:
        write_atomic(file, content)
    return [(file, worst) for file, _, worst in made]


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 2 unknown name, 3 bad weights, a network that differs, or an unwritable folder."""
    parser = Parser("python -m smoothswap.export_onnx", description=__doc__, epilog=EXAMPLES)
    parser.add_argument("name", metavar="NAME|PATH", help="weights: a name, or a .safetensors with its card")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR", help="folder, made where missing"
    )
    options = parser.parse_args(argv)
    try:
        pretrained.locate(options.name)
    except pretrained.WeightsError as error:
        raise UsageError(error) from None
    foresee_folder(options.out)
    for path, worst in export(options.name, options.out):
        megabytes = path.stat().st_size / 1e6
        print(f"{path}: {megabytes:.1f} MB, opset {OPSET}, differs from torch by {worst:.1e}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
