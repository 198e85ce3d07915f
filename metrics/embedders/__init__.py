"""Metrics of identity embedders: verification, d_smooth, interpolation counts, the shape of the space."""
