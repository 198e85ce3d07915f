"""python -m bench.verify: a finished run recomputed by code written apart from `metrics` and `bench.ffpp`."""
