"""Starting a real node: `python -m aliquot_lab.nodes.boot FOLDER` becomes the process that holds its namespaces.

It enters the node's control groups and a network of its own with a cable to the lab's switch, and then becomes
`unshare`, whose child is process 1 of the node (`aliquot_lab.nodes.init`). When it is killed, the kernel kills that
child, and with it everything on the node: a power failure, which leaves no process behind.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from aliquot_lab import cgroups
from aliquot_lab.errors import LabError
from aliquot_lab.nodes import namespaces
from aliquot_lab.nodes.machine import Machine
from aliquot_lab.nodes.network import Switch

NAMESPACES: Final = (
    "--mount",
    "--uts",
    "--ipc",
    "--pid",
    "--cgroup",
    "--fork",
    "--kill-child",
    "--propagation=private",
)


def main(arguments: list[str]) -> None:
    """Entry point: the folder of the node."""
    folder = Path(arguments[0])
    machine = Machine.read(folder)
    directory = Path(machine.directory)
    # As after a power failure: what was in memory is gone. Control groups of the containers that ran before would
    # keep the kubelet busy for 15 s.
    cgroups.remove(directory, machine.name)
    shutil.rmtree(folder / "run", ignore_errors=True)
    (folder / "run").mkdir()
    switch = Switch.read(directory)
    if switch is None:
        message = f"the real nodes of {directory} have no network"
        raise LabError(message)
    cgroups.enter(directory, machine.name)
    namespaces.leave_network()
    switch.connect(machine.number)
    os.environ["PATH"] = f"{machine.programs.folder}:{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    program = [sys.executable, "-m", "aliquot_lab.nodes.init", str(folder)]
    os.execvp("unshare", ["unshare", *NAMESPACES, *program])


if __name__ == "__main__":
    main(sys.argv[1:])
