"""A real Kubernetes for tests, demos and benchmarks: upstream binaries, hollow GPU nodes, no Docker.

`Cluster` is the handle on a running lab; `start` brings one up, `dedicated` does so for a `with` block, and `attach`
opens a cluster that somebody else runs. `real_nodes` adds nodes with kubelets and containers to a lab, and `obstacle`
says why this machine cannot have any. `FaultProxy` stands between a client and an API server and misbehaves on command,
as `Rule`s say. The command line is `aliquot-lab`, the fixtures are in `aliquot_lab.pytest_plugin`. Imports nothing of
`aliquot`, so that anyone may use it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aliquot_lab.cluster import Cluster
    from aliquot_lab.errors import LabError
    from aliquot_lab.faults import Act, Answer, ApiRequest, Cut, Delay, Fault, Hold, Rule
    from aliquot_lab.launch import Options, attach, dedicated, start
    from aliquot_lab.nodes.fleet import real_nodes
    from aliquot_lab.nodes.host import obstacle
    from aliquot_lab.nodes.node import RealNode
    from aliquot_lab.proxy import FaultProxy

__all__ = [
    "Act",
    "Answer",
    "ApiRequest",
    "Cluster",
    "Cut",
    "Delay",
    "Fault",
    "FaultProxy",
    "Hold",
    "LabError",
    "Options",
    "RealNode",
    "Rule",
    "attach",
    "dedicated",
    "obstacle",
    "real_nodes",
    "start",
]

_HOMES = {
    "cluster": ("Cluster",),
    "errors": ("LabError",),
    "faults": ("Act", "Answer", "ApiRequest", "Cut", "Delay", "Fault", "Hold", "Rule"),
    "launch": ("Options", "attach", "dedicated", "start"),
    "nodes.fleet": ("real_nodes",),
    "nodes.host": ("obstacle",),
    "nodes.node": ("RealNode",),
    "proxy": ("FaultProxy",),
}


# Every lab starts a supervisor, whose first sight of this package must not cost it the HTTP client and the rest: 0.05
# instead of 0.6 s, and a third of the memory.
def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
