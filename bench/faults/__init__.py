"""Faults to inject: what files from anywhere, full disks and killed processes do to a run."""
