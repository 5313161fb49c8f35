"""An operator that is started again whenever it ends, as a kubelet would, but without being loaded anew each time.

    aliquot loaded ──▶ fork: runs, until it is killed ──▶ fork: runs, until …

A crash test ends it hundreds of times; loading Python modules would be most of the work then. The process that runs
now is named in the file `PID`. One that ends other than by SIGKILL says so in the log, as `BY_ITSELF`.
"""

import ctypes
import os
import signal
from pathlib import Path
from typing import Final

PID_FILE: Final = "RESPAWN_PID_FILE"
"""The environment variable that says where to write the process id."""
BY_ITSELF: Final = "THE OPERATOR ENDED BY ITSELF"

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Run for ever."""
    from aliquot.cluster.main import run
    from aliquot.settings import Settings

    here = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)
    while True:
        child = os.fork()
        if child == 0:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == here:
                file = Path(os.environ[PID_FILE])
                unfinished = file.with_suffix(".new")
                unfinished.write_text(str(os.getpid()))
                unfinished.replace(file)
                run(Settings())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            print(f"{BY_ITSELF}: {status}", flush=True)  # noqa: T201 - its output is its log


if __name__ == "__main__":
    main()
