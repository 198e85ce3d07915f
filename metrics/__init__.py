"""Instruments that read a face, metrics that are pure functions of what they read, and their statistics.

Needs numpy, scipy, onnxruntime and dlib; knows neither torch nor video.
"""

from metrics.evaluation import MissingPolicy, Summary, Value, applicable, evaluate, frame_values
from metrics.registry import METRICS
from metrics.sides import READINGS, MetricError, Sides
from metrics.spec import Metric
from metrics.statistics.intervals import Difference, cluster_interval, paired_difference

__all__ = [
    "METRICS",
    "READINGS",
    "Difference",
    "Metric",
    "MetricError",
    "MissingPolicy",
    "Sides",
    "Summary",
    "Value",
    "applicable",
    "cluster_interval",
    "evaluate",
    "frame_values",
    "paired_difference",
]
