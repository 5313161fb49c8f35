"""Whether this machine can be several machines."""

import os
import shutil
import subprocess
import sys
from functools import cache
from typing import Final

from aliquot_lab import cgroups
from aliquot_lab.errors import LabError
from aliquot_lab.nodes.boot import NAMESPACES

_COMMANDS: Final = ("ip", "unshare", "mount")
_CONTROLLERS: Final = ("cpu", "cpuset", "devices", "memory", "pids")


@cache
def obstacle() -> str | None:
    """What keeps this machine from having real nodes, in words for the user; None: nothing does."""
    if sys.platform != "linux":
        return "real nodes need Linux"
    if os.geteuid() != 0:
        return "real nodes need root, for their namespaces, mounts and control groups"
    missing = [command for command in _COMMANDS if shutil.which(command) is None]
    if missing:
        return f"real nodes need the programs {', '.join(missing)} (packages iproute2, util-linux, mount)"
    found = cgroups.hierarchies()
    if lacking := [name for name in _CONTROLLERS if name not in found and not any(name in each for each in found)]:
        return f"real nodes need control groups version 1 with {', '.join(lacking)}, each hierarchy in {cgroups.ROOT}"
    trial = ["unshare", "--net", *NAMESPACES, "ip", "link", "add", "one", "type", "veth", "peer", "name", "two"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"real nodes need namespaces with virtual network cables, which are refused here: {done.stderr.strip()}"
    return None


def require() -> None:
    """Make sure that this machine can have real nodes.

    Raises:
        LabError: it cannot; the message says why.
    """
    if problem := obstacle():
        raise LabError(problem)
