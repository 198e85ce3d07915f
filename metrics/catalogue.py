"""Metrics that score no single frame: of embedders, and picture quality of sets. Keys as in results.json.

Metrics of frames declare themselves in metrics/registry.py; both are in the table of docs/metrics.md.
"""

from __future__ import annotations

from metrics.spec import Declared

_INF = float("inf")
_LFW = "LFW, image-restricted View 2"
_PICTURE = "its picture as it is, a black one where there is none"
_SMOOTHNESS = "Smooth-Swap, Sec. 5.5"
_PATH = "path: morph, age, weight; steps: 12"

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
    Declared(
        key="effective_rank", title="Effective rank", unit="dimensions", range=(1.0, _INF),
        formula="exp(-sum p ln p), p the shares of the covariance's eigenvalues",
        higher_is_better=True, source="Roy and Vetterli 2007; of a covariance, ours",
        description="metrics.embedding_space.effective_rank of one photo a person.",
    ),
    Declared(
        key="uniformity", title="Uniformity", unit="log potential", range=(-8.0, 0.0),
        formula="ln E exp(-t |z_a - z_b|^2)", higher_is_better=False, source="Wang and Isola 2020, L_uniform",
        description="metrics.embedding_space.uniformity of one photo a person.", options="t: 2",
    ),
    Declared(
        key="alignment", title="Alignment", unit="squared distance", range=(0.0, 4.0),
        formula="E |z_a - z_b|^alpha over photos of one person", higher_is_better=False,
        source="Wang and Isola 2020, L_align", description="metrics.embedding_space.alignment.", options="alpha: 2",
    ),
    Declared(
        key="probe_explained", title="Probe, variance explained", unit="share", range=(-_INF, 1.0),
        formula="1 - sum |y - y'|^2 / sum |y - mean y|^2, y' the ridge regression of y on z, other people's",
        higher_is_better=True, source="a linear probe (Alain and Bengio 2017) of a recogniser's y; its use here is ours",
        description="metrics.probe.linear_probe: how much of a recogniser's vectors can be read off the embedding.",
        options="folds: 5; strengths: 0.001 ... 10",
    ),
    Declared(
        key="probe_retrieval", title="Probe, retrieval", unit="%", range=(0.0, 100.0),
        formula="100 P(the photo's own y is the nearest of one photo a person to y')",
        higher_is_better=True, source="ID retrieval with a linear probe in the swapper's place: ours",
        description="metrics.probe.linear_probe: whom a recogniser would find if it saw what a line reads off z.",
        options="k: 1, 5; candidates: one photo a person",
    ),
    Declared(
        key="path_tortuosity", title="Path, arc over chord", unit="ratio", range=(1.0, _INF),
        formula="sum of the steps' angles / angle between the ends", higher_is_better=False, source="ours",
        description="metrics.embedding_paths.path_figures along a known change of a rendered face.",
        options=_PATH,
    ),
    Declared(
        key="path_curvature", title="Path, curvature", unit="ratio", range=(0.0, 1.0),
        formula="sum |step on + step back| / sum (|step on| + |step back|)", higher_is_better=False,
        source="ours", description="metrics.embedding_paths.path_figures; 0: even steps straight on.", options=_PATH,
    ),
    Declared(
        key="path_monotonicity", title="Path, monotonicity", unit="rank correlation", range=(-1.0, 1.0),
        formula="Spearman of the step's number and the distance from the start", higher_is_better=True,
        source="ours", description="metrics.embedding_paths.path_figures.", options=_PATH,
    ),
    Declared(
        key="path_largest_step", title="Path, largest step", unit="share", range=(0.0, 1.0),
        formula="largest step / sum of the steps", higher_is_better=False, source="ours",
        description="metrics.embedding_paths.path_figures; 1 / steps where all are equal.", options=_PATH,
    ),
    Declared(
        key="path_extent", title="Path, extent", unit="share of a morph's, whose own is in radians", range=(0.0, _INF),
        formula="angle between the ends / mean angle between the ends of the morphs", higher_is_better=True,
        source="ours; Smooth-Swap, Sec. 4.1 says that ArcFace discards such change within a person",
        description="How much of a change within one person the embedding keeps.", options=_PATH,
    ),
    Declared(
        key="gradient_agreement", title="Gradient agreement, picture", unit="cosine similarity", range=(-1.0, 1.0),
        formula="cos(dL/dx at x_k, dL/dx at x_(k+1)), L = 1 - cos(f(x), f(x_K))", higher_is_better=True,
        source="ours, for the stability that Smooth-Swap, Sec. 4.1 and 5.4 argue with",
        description="metrics.embedding_paths.neighbour_agreement of the identity loss's gradients along a path.",
        options=_PATH,
    ),
    Declared(
        key="descent_agreement", title="Gradient agreement, parameter", unit="agreement of signs", range=(-1.0, 1.0),
        formula="mean of sign(dL/dk at k) sign(dL/dk at k + 1)", higher_is_better=True,
        source="ours, as gradient_agreement", description="The same with respect to the path's own parameter k.",
        options=_PATH,
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
