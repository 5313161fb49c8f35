"""Whose work is it that a GPU does: processes to containers to pods, and what each pod was given.

Pure: values in, values out. `attribute` is the door; `container_of` reads a process's cgroup; `IdleTimes` keeps since
when pods do nothing. Amounts are hundredths of a GPU, MiB and bytes, as the names say.
"""

from aliquot.agent.attribution.cgroups import Container, container_of
from aliquot.agent.attribution.holdings import Grant, PodOnNode, PodRef
from aliquot.agent.attribution.idle import IdleTimes
from aliquot.agent.attribution.usage import DeviceUse, PodUse, Usage, attribute

__all__ = [
    "Container",
    "DeviceUse",
    "Grant",
    "IdleTimes",
    "PodOnNode",
    "PodRef",
    "PodUse",
    "Usage",
    "attribute",
    "container_of",
]
