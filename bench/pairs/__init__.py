"""python -m bench.pairs: score face-swap models on a list of pairs, with slices."""
