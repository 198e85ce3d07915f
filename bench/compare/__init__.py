"""python -m bench.compare: two scored models frame by frame, with the interval of every difference."""
