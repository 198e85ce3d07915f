"""What bench.verify knows of each metric before it looks at a run: unit, direction, bounds, versions.

Written apart from the metrics package, as the arithmetic is (bench/verify/recount.py): a run that says otherwise has been
changed.
"""

from __future__ import annotations

import math

MEANING: dict[str, tuple[str, bool]] = {
    "id_retrieval": ("%", True),
    "id_retrieval_top5": ("%", True),
    "identity": ("cosine similarity", True),
    "identity_r": ("ratio", False),
    "target_identity": ("cosine similarity", False),
    "target_retrieval": ("%", False),
    "shape": ("L2 of shape parameters", False),
    "shape_r": ("ratio", False),
    "expression": ("L2 of expression parameters", False),
    "expression_r": ("ratio", False),
    "mouth": ("share of its width", False),
    "eyes": ("share of their width", False),
    "gaze": ("share of the eyes' width", False),
    "pose": ("rad", False),
    "pose_r": ("ratio", False),
    "truth_pixel": ("grey levels", False),
    "ssim_outside": ("SSIM", True),
    "psnr_outside": ("dB", True),
    "lpips_outside": ("LPIPS", False),
    "truth_identity": ("cosine distance", False),
    "truth_shape": ("L2 of shape parameters", False),
    "truth_expression": ("L2 of expression parameters", False),
    "truth_pose": ("rad", False),
    "vgg": ("L2 of features", False),
    "vgg_r": ("ratio", False),
    "arc": ("cosine similarity", True),
    "arc_r": ("ratio", True),
    "pose_hn": ("degrees", False),
    "identity_consistency": ("cosine distance", False),
    "expression_flicker": ("L2 of expression parameters per frame", False),
    "pose_flicker": ("rad per frame", False),
    "warping_error": ("grey levels per frame", False),
}
"""Key: (unit, higher is better)."""
RANGES: dict[str, tuple[float, float]] = {
    "%": (0.0, 100.0),
    "ratio": (0.0, 1.0),
    "cosine similarity": (-1.0, 1.0),
    "cosine distance": (0.0, 2.0),
    "grey levels": (0.0, 255.0),
    "rad": (0.0, math.pi),
    "degrees": (0.0, 180.0),
    "rad per frame": (0.0, math.pi),
    "SSIM": (-1.0, 1.0),
    "dB": (0.0, 60.0),
    "grey levels per frame": (0.0, 255.0),
}
"""By unit, what no interval goes beyond; the others are distances, from 0 on."""
PIXELS = {
    "truth_pixel": 255.0,
    "ssim_outside": 0.0,
    "psnr_outside": 0.0,
    "lpips_outside": 1.0,
    "warping_error": 255.0,
}
"""Metrics of pictures, which are not stored, with what a lost one counts as: from the stored value of each frame."""
LOST = {"id_retrieval": 0.0, "id_retrieval_top5": 0.0, "target_retrieval": 100.0}
"""What a lost face counts as, where that is one number."""
VIDEO = ("identity_consistency", "expression_flicker", "pose_flicker", "warping_error")
"""Of the tables of frames in a row."""
SOURCE_FREE = (
    *("target_identity", "expression", "mouth", "eyes", "gaze", "pose", "pose_hn", *VIDEO),
    *("ssim_outside", "psnr_outside", "lpips_outside"),
    *("truth_pixel", "truth_identity", "truth_shape", "truth_expression", "truth_pose"),
)
"""What can be said of a swap without its source. Not whether the target is found: among whom lacks the source then."""
VERSIONS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("pose", "pose_r", "truth_pose"), (1, 2)),
    **dict.fromkeys(("pose_hn", "identity_consistency", "truth_pixel"), (2,)),
}
"""Of the metrics, those that are recomputed here; (1,) of the others."""
