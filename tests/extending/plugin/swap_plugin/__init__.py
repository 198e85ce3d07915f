"""What a package adds to the benchmark: one file for each of the five recipes."""
