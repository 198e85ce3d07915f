"""python -m bench.regress: fail where a metric got worse than a baseline by more than the noise."""
