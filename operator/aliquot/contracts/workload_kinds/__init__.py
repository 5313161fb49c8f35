"""The table of kinds whose pods are scheduled together, as an administrator writes it (docs/foreign-workloads.md).

    kinds:                                     topologies:
      - group: example.com                       - name: fabric
        kind: Crew                                 levels: [example.com/zone, example.com/rack]
        minimum: {first: [spec.minAvailable, {each: spec.roles, of: replicas}]}

The built-in table (`core/intake/group_table/builtin.yaml`) has the same form. Models check keys, types and what is
wrong with one entry by itself. A *path* names a member of an object: `spec.replicas`, `metadata.annotations['a.b/c']`.
"""

from aliquot.contracts.workload_kinds.kinds import (
    Check,
    NamedTopology,
    PodGroups,
    PodMatch,
    PodSets,
    Requested,
    Segments,
    Startup,
    TopologyHints,
    WorkloadKind,
    WorkloadKinds,
)
from aliquot.contracts.workload_kinds.numbers import Each, First, Least, Number, Positive, Product, Sum
from aliquot.contracts.workload_kinds.shapes import MOST_PODS, TAG, Path, keys_of

__all__ = [
    "MOST_PODS",
    "TAG",
    "Check",
    "Each",
    "First",
    "Least",
    "NamedTopology",
    "Number",
    "Path",
    "PodGroups",
    "PodMatch",
    "PodSets",
    "Positive",
    "Product",
    "Requested",
    "Segments",
    "Startup",
    "Sum",
    "TopologyHints",
    "WorkloadKind",
    "WorkloadKinds",
    "keys_of",
]
