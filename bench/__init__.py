"""Protocols and commands: the only layer that imports the other three (smoothswap, metrics, reports)."""

import smoothswap.plumbing.first  # noqa: F401
