"""The streams of random numbers that keep rendered people of different purposes apart: [seed, STREAM, number].

Training faces are drawn from [seed, number] without a stream (smoothswap.rendered.dataset). The numbers are part of what
committed data and weights were made with, so none may change. Two of them serve twice: the scenes and the pairs of clips
draw from the streams of two other purposes' people, which share seeds with them but no people.
"""

from __future__ import annotations

CLIPS = 77
CLIP_SCENES = 78
CLIP_PAIRS = 79
REGRESSOR = 78
VALIDITY = 79
PATHS = 80
OPENINGS = 83
GAZE = 84
ANSWERS = 85
