"""python -m bench.ffpp: score face-swap models on FaceForensics++ and write a report."""
