"""How close to one another pods are to be, as annotations say it, and what that is among the topologies there are.

    kai.scheduler/topology: racks                        which topology; left out: the labels count by themselves
    kai.scheduler/topology-required-placement: rack      the level within one domain of which all must be
    kai.scheduler/topology-preferred-placement: host     the same as a wish

What a topology is comes from elsewhere (objects of the cluster, ConfigMaps), and may come, change and go at any time:
a hint is read once, and is looked up whenever a pod becomes facts (scheduling.md 1.3, 2.11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aliquot import names
from aliquot.core.scheduling.facts import Group, PodSet, Topology

Topologies = Mapping[str, tuple[str, ...]]
"""Keys of node labels from coarse to fine, by the name of the topology."""

NO_TOPOLOGIES: Final[Topologies] = MappingProxyType({})
LONGEST_NAME: Final = 317
"""Of a topology or a level: a label's key has no more characters. What is longer is cut off; there is no such thing."""
DEFAULT_POD_SET: Final = "default"
"""The pod set of pods that are all alike."""


@dataclass(frozen=True, slots=True)
class Hint:
    """How close pods are to be, as somebody has written it.

    Attributes:
        topology: name of a topology; empty: none is named.
        required: the level within one domain of which all must be; None: none.
        preferred: the level within one domain of which all should be; None: none.
    """

    topology: str = ""
    required: str | None = None
    preferred: str | None = None

    @staticmethod
    def of(topology: str | None, required: str | None, preferred: str | None) -> "Hint | None":
        """The hint; None: no level is asked for, so nothing is."""
        if not required and not preferred:
            return None
        named, needed, liked = ((each or "")[:LONGEST_NAME] for each in (topology, required, preferred))
        return Hint(named, needed or None, liked or None)

    def among(self, topologies: Topologies) -> Topology:
        """What it is among the topologies there are; one that nobody knows says so, and what there is."""
        if self.topology and self.topology not in topologies:
            return Topology((), self.required, self.preferred, self.topology, tuple(sorted(topologies)))
        if self.topology:
            return Topology(topologies[self.topology], self.required, self.preferred, self.topology)
        asked = tuple(dict.fromkeys(level for level in (self.required, self.preferred) if level is not None))
        for name, levels in sorted(topologies.items()):
            if set(asked) <= set(levels):
                return Topology(levels, self.required, self.preferred, name)
        return Topology(asked, self.required, self.preferred)


def hint_in(annotations: Mapping[str, str]) -> Hint | None:
    """What annotations say of all pods of an object; None: nothing."""
    return Hint.of(
        annotations.get(names.TOPOLOGY_ANNOTATION),
        annotations.get(names.TOPOLOGY_REQUIRED_ANNOTATION),
        annotations.get(names.TOPOLOGY_PREFERRED_ANNOTATION),
    )


def group_in(annotations: Mapping[str, str], pod_sets: tuple[PodSet, ...], topologies: Topologies) -> Group | None:
    """The parts of a gang whose pods say so; None: they are all alike, and need not be close to one another."""
    hint = hint_in(annotations)
    if hint is None:
        return None if [each.name for each in pod_sets] == [DEFAULT_POD_SET] else Group(pod_sets=pod_sets)
    return Group(topology=hint.among(topologies), pod_sets=pod_sets)
