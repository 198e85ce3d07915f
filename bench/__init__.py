"""Protocols and commands: the only layer that imports the other three (smoothswap, metrics, reports)."""

import plumbing.first  # noqa: F401
