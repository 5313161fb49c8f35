"""A real Kubernetes for tests, demos and benchmarks: upstream binaries, hollow GPU nodes, no Docker.

`Cluster` is the handle on a running lab; `start` brings one up and `dedicated` does so for a `with` block.
`FaultProxy` stands between a client and an API server and misbehaves on command. The command line is
`aliquot-lab`, the fixtures are in `aliquot_lab.pytest_plugin`. Imports nothing of `aliquot`, so that anyone may use it.
"""

from aliquot_lab.cluster import Cluster
from aliquot_lab.errors import LabError
from aliquot_lab.launch import Options, dedicated, start

__all__ = ["Cluster", "LabError", "Options", "dedicated", "start"]
