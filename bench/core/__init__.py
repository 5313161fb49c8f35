"""Micro benchmarks of the decision core; `python -m bench.core`."""
