"""Which container a process runs in, by the text of /proc/PID/cgroup (notes/nodes.md 6).

    cgroupfs, v1       4:memory:/kubepods/besteffort/podUID/ID        (Guaranteed pods have no folder for their class)
    cgroupfs, v2       0::/kubepods/burstable/podUID/ID
    systemd            0::/kubepods.slice/…/kubepods-burstable-podU_I_D.slice/cri-containerd-ID.scope
    CRI-O              …/kubepods-podU_I_D.slice/crio-ID.scope/container
    containerd, where only one of the two knows of systemd     …/kubepods-burstable-podU_I_D.slice:cri-containerd:ID

Seen from a cgroup namespace of one's own all begin with `/../../`; in nested nodes with the path of the outer one.
"""

import re
from dataclasses import dataclass
from typing import Final

_PATTERN: Final = re.compile(
    r"pod(?P<uid>[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})(?:\.slice)?"
    r"[/:](?:[a-z][a-z-]*[-:])?(?P<id>[0-9a-f]{64})(?:\.scope)?(?:/|$)",
    re.MULTILINE,
)
"""A pod made of a file on the node has a uid without dashes."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container: its runtime's id, and the uid of its pod as the API has it."""

    id: str
    pod_uid: str


def container_of(cgroup: str) -> Container | None:
    """The container of the process that has this text; None: it runs in none of a pod's.

    On v1 there is a line for each hierarchy, and an empty one of v2: the first that tells is taken.
    """
    found = _PATTERN.search(cgroup)
    return None if found is None else Container(found["id"], found["uid"].replace("_", "-"))
