"""What `make demo` runs: a cluster, the platform on it, and a story told by the workloads of `examples/`.

`platform` installs the chart and starts operators; tests and benchmarks use it too.
"""
