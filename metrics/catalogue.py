"""Metrics that score no single frame: of embedders, and picture quality of sets. Keys as in results.json.

Metrics of frames declare themselves in metrics/registry.py; both are in the table of docs/metrics.md.
"""

from __future__ import annotations

from metrics.declared import Declared

_INF = float("inf")
_LFW = "LFW, image-restricted View 2"
_PICTURE = "its picture as it is, a black one where there is none"
_SMOOTHNESS = "Smooth-Swap, Sec. 5.5"

EMBEDDERS = (
    Declared(
        key="verification_accuracy", title="Verification accuracy", unit="share", range=(0.0, 1.0),
        formula="mean over 10 folds of accuracy at the threshold best on the 9 others",
        higher_is_better=True, source=f"{_LFW}; the choice among equally good thresholds is ours",
        description="metrics.verification.fold_accuracy; with its standard error over folds.",
        options="rule: middle, lowest, highest",
    ),
    Declared(
        key="verification_auc", title="Verification AUC", unit="share", range=(0.0, 1.0),
        formula="P(cos of a same pair > cos of a different pair) + P(equal) / 2",
        higher_is_better=True, source="ROC; Mann-Whitney U", description="metrics.verification.auc",
    ),
    Declared(
        key="verification_eer", title="Equal error rate", unit="share", range=(0.0, 1.0),
        formula="FPR where FPR = 1 - TPR, straight lines between points of the ROC",
        higher_is_better=False, source="ROC", description="metrics.verification.eer",
    ),
    Declared(
        key="tar_at_far", title="TAR@FAR", unit="share", range=(0.0, 1.0),
        formula="max TPR with FPR <= FAR, no interpolation",
        higher_is_better=True, source="ROC", description="metrics.verification.tar_at_far",
        options="far: a share, stated with the value",
    ),
    Declared(
        key="d_smooth", title="d_smooth", unit="ratio", range=(0.0, _INF),
        formula="E_(a,b,r) |Slerp(z_a, z_b; r) - z_c| / |z_a - z_b|, z_c the nearest of the training set",
        higher_is_better=False, source=f"{_SMOOTHNESS}; the denominator is not stated, chord is a guess",
        description="metrics.smoothness.d_smooth",
        options="denominator: chord, arc, detour, ends, none; average: of_ratios, of_sums; r: 0.1 ... 0.9",
    ),
    Declared(
        key="interpolation_count", title="Interpolation count", unit="faces", range=(0.0, 9.0),
        formula="#{nearest training face at r = 0.1, ..., 0.9}",
        higher_is_better=True, source=f"{_SMOOTHNESS}, Fig. 9; the end-point rule is not stated",
        description="metrics.interpolation.interpolation_count; path_count for all r in 0..1, without maximum.",
        options="ends: count, leave_out; r: 0.1 ... 0.9",
    ),
    Declared(
        key="interpolation_people", title="Interpolation count, people", unit="people", range=(0.0, 9.0),
        formula="#{person of the nearest training face at r = 0.1, ..., 0.9}",
        higher_is_better=True, source=f"{_SMOOTHNESS}, remark on repeated identities; counting them is ours",
        description="metrics.interpolation.interpolation_count with ids.",
        options="ends: count, leave_out; r: 0.1 ... 0.9",
    ),
)  # fmt: skip

PICTURES = (
    Declared(
        key="fid", title="FID", unit="squared feature distance", range=(0.0, _INF),
        formula="|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of Inception features",
        higher_is_better=False, source="Heusel et al. 2017, eq. 6",
        description="metrics.quality.frechet_distance on metrics.picture_features.Inception, all swaps to their targets.",
        missing=_PICTURE, options="network: torchvision-inception_v3, from the user's weights (--inception)",
    ),
    Declared(
        key="kid", title="KID", unit="squared feature distance", range=(-_INF, _INF),
        formula="unbiased MMD^2 of Inception features, kernel (x.y / d + 1)^3",
        higher_is_better=False, source="Binkowski et al. 2018, Sec. 4",
        description="metrics.quality.kernel_distance on metrics.picture_features.Inception, of all swaps to their targets; "
        "metrics.quality.kid takes the mean over random subsets, as it is published.",
        missing=_PICTURE, options="network: torchvision-inception_v3, from the user's weights (--inception)",
    ),
    Declared(
        key="filter_bank_distance", title="Filter-bank distance", unit="squared feature distance",
        range=(0.0, _INF), formula="the Fréchet distance of 36 derivative energies and colour moments",
        higher_is_better=False, source="ours; no FID",
        description="metrics.quality.frechet_distance on metrics.picture_features.filter_bank, of all swaps to their "
        "targets. It sees sharpness, texture, contrast and colour, nothing of what a picture shows.",
        missing=_PICTURE,
    ),
)  # fmt: skip
