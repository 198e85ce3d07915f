"""The parts of README.md and docs/ that are made from results and code, so that no number or rule is typed twice."""
