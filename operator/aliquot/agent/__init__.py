"""One node's GPUs: what they are, who uses them, how much of them, and since when they are idle.

A process on every node with GPUs (`aliquot agent`). It reads through NVML, never through a privileged call, and shows
what it read to Prometheus. `nvml` knows no pods; `attribution` is pure; `exporter` makes metrics of both; `main` wires
them.
"""
