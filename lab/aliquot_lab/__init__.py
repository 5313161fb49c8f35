"""A real Kubernetes for tests, demos and benchmarks: upstream binaries, hollow GPU nodes, no Docker."""
