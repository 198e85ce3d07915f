"""Measured light: nine spherical harmonics a colour of eighteen places, from CC0 panoramas.

Source: the npm package `@pmndrs/assets` (CC0-1.0), which carries panoramas of Poly Haven (CC0) at 512 x 256. They are
reduced once to what a dull surface can tell of them (Ramamoorthi and Hanrahan 2001) and only that is kept, probes.json:

    npm pack @pmndrs/assets && tar xzf pmndrs-assets-*.tgz && pip install OpenEXR
    python -m smoothswap.rendered.world4.probes --panoramas package/hdri --out probes.json
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from smoothswap.cli import Parser, check_file, command
from smoothswap.errors import EXIT_OK, DataError

PROBES_FILE = Path(__file__).parent / "probes.json"
EXAMPLES = """
examples:
  python -m smoothswap.rendered.world4.probes --panoramas package/hdri
"""
# The cosine lobe's share of each band: pi, 2 pi / 3, pi / 4, over pi, so that a white sphere in white light is white.
COSINE = np.array([1.0, *[2 / 3] * 3, *[1 / 4] * 5])


def harmonics(directions: np.ndarray) -> np.ndarray:
    """The nine real spherical harmonics of bands 0 to 2.

    Args:
        directions: Unit vectors, [..., 3].

    Returns:
        [..., 9], orthonormal over the sphere, in the order 1; y, z, x; xy, yz, 3zz - 1, xz, xx - yy.
    """
    x, y, z = np.moveaxis(np.asarray(directions, np.float64), -1, 0)
    one = np.ones_like(x)
    return np.stack(
        [
            0.5 / np.sqrt(np.pi) * one,
            *(np.sqrt(0.75 / np.pi) * axis for axis in (y, z, x)),
            np.sqrt(3.75 / np.pi) * x * y,
            np.sqrt(3.75 / np.pi) * y * z,
            np.sqrt(0.3125 / np.pi) * (3 * z * z - 1),
            np.sqrt(3.75 / np.pi) * x * z,
            np.sqrt(0.9375 / np.pi) * (x * x - y * y),
        ],
        -1,
    )


def reduce(panorama: np.ndarray) -> np.ndarray:
    """What a panorama sends to a dull surface, as nine numbers a colour.

    Args:
        panorama: Linear light [h, w, 3], latitude from up (first row) to down, longitude once around.

    Returns:
        [9, 3]: harmonics(n) @ it is the light that a white dull surface with normal n gives back; divided by the
        panorama's mean brightness, so that 1 is the mean.
    """
    height, width = panorama.shape[:2]
    theta = (np.arange(height) + 0.5) * np.pi / height
    phi = (np.arange(width) + 0.5) * 2 * np.pi / width
    directions = np.stack(
        [
            np.sin(theta)[:, None] * np.sin(phi),
            np.cos(theta)[:, None] * np.ones(width),
            np.sin(theta)[:, None] * np.cos(phi),
        ],
        -1,
    )
    solid = (np.sin(theta) * (np.pi / height) * (2 * np.pi / width))[:, None, None]
    light = panorama.astype(np.float64) * solid
    mean = light.sum() / (3 * 4 * np.pi)
    return np.asarray(np.einsum("hwk,hwc->kc", harmonics(directions), light) * COSINE[:, None] / mean)


@lru_cache(maxsize=1)
def load_probes() -> dict[str, np.ndarray]:
    """By the place's name, float32 [9, 3] as reduce gives them."""
    found = json.loads(PROBES_FILE.read_text())["probes"]
    return {name: np.array(rows, np.float32).reshape(9, 3) for name, rows in found.items()}


def _panorama(file: Path) -> np.ndarray:
    import OpenEXR

    match = re.search(r"base64,([A-Za-z0-9+/=]+)", file.read_text())
    if match is None:
        raise DataError(f"{file} holds no base64 panorama; give package/hdri of @pmndrs/assets")
    with tempfile.NamedTemporaryFile(suffix=".exr") as exr:
        exr.write(base64.b64decode(match[1]))
        exr.flush()
        channels = OpenEXR.File(exr.name, separate_channels=True).channels()
        return np.stack([np.array(channels[c].pixels, np.float32) for c in "RGB"], -1)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m smoothswap.rendered.world4.probes", description=__doc__, epilog=EXAMPLES)
    parser.add_argument("--panoramas", type=Path, required=True, metavar="DIR", help="package/hdri")
    parser.add_argument("--out", type=Path, default=PROBES_FILE, metavar="FILE", help="(%(default)s)")
    a = parser.parse_args(argv)
    files = sorted(a.panoramas.glob("*.exr.js"))
    if not files:
        raise DataError(f"{a.panoramas} holds no *.exr.js; give package/hdri of @pmndrs/assets")
    check_file(a.out)
    found = {
        file.name.split(".")[0]: [round(float(v), 3) for v in reduce(_panorama(file)).reshape(-1)]
        for file in files
    }
    source = "npm @pmndrs/assets 1.7.0 (CC0-1.0): panoramas of polyhaven.com (CC0)"
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(rows)}" for name, rows in found.items())
    a.out.write_text(f'{{"source": {json.dumps(source)},\n "probes": {{\n{lines}\n }}}}\n')
    print(f"{len(found)} probes in {a.out}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
