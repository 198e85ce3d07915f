"""Intervals, tests and curves over clustered frames, people and seeds."""
