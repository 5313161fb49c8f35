"""The cluster document that `aliquot simulate` reads, and what it prints (simulation.md).

Models check types, keys and what is wrong with one value by itself; what is wrong with the document as a whole is found
by `core.simulation`, which also knows what quantities mean.
"""

from aliquot.contracts.simulation.affinity import (
    AffinityEntry,
    LabelSelector,
    NodeAffinity,
    NodeRequired,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
    RequirementEntry,
    WeightedNodeTerm,
    WeightedPodTerm,
)
from aliquot.contracts.simulation.cluster import (
    GpuShareEntry,
    MigEntry,
    NodeEntry,
    PlacementEntry,
    QueueEntry,
    SettingsEntry,
    ShareEntry,
    TaintEntry,
    TimeBasedFairShareEntry,
    TopologyEntry,
)
from aliquot.contracts.simulation.document import Document
from aliquot.contracts.simulation.fields import Part
from aliquot.contracts.simulation.jobs import (
    GroupEntry,
    GroupTopology,
    JobEntry,
    PodSetEntry,
    RequestEntry,
    TaskEntry,
    TolerationEntry,
)
from aliquot.contracts.simulation.outcome import (
    BindOutcome,
    EvictOutcome,
    NodeOutcome,
    NominateOutcome,
    Outcome,
    QueueOutcome,
    RoundOutcome,
    ShareOutcome,
    TaskOutcome,
    WaitingOutcome,
)

__all__ = [
    "AffinityEntry",
    "BindOutcome",
    "Document",
    "EvictOutcome",
    "GpuShareEntry",
    "GroupEntry",
    "GroupTopology",
    "JobEntry",
    "LabelSelector",
    "MigEntry",
    "NodeAffinity",
    "NodeEntry",
    "NodeOutcome",
    "NodeRequired",
    "NodeSelectorTerm",
    "NominateOutcome",
    "Outcome",
    "Part",
    "PlacementEntry",
    "PodAffinity",
    "PodAffinityTerm",
    "PodSetEntry",
    "QueueEntry",
    "QueueOutcome",
    "RequestEntry",
    "RequirementEntry",
    "RoundOutcome",
    "SettingsEntry",
    "ShareEntry",
    "ShareOutcome",
    "TaintEntry",
    "TaskEntry",
    "TaskOutcome",
    "TimeBasedFairShareEntry",
    "TolerationEntry",
    "TopologyEntry",
    "WaitingOutcome",
    "WeightedNodeTerm",
    "WeightedPodTerm",
]
