"""python -m bench.validity: how good each instrument is, on faces with known truth and on photographs."""
