"""A PostgreSQL server of one's own, from the machine's binaries: no network, no settings of the machine touched."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

from aliquot_lab.errors import LabError

_DEBIAN = Path("/usr/lib/postgresql")
_PATIENCE_SECONDS = "300"


def binaries() -> Path | None:
    """Where the newest server's binaries are; None: there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(_DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


@contextlib.contextmanager
def postgresql() -> Generator[str]:
    """A server with an empty database, reached by a socket; gives its URL.

    Raises:
        LabError: there is none on this machine, or it does not start.
    """
    folder = binaries()
    if folder is None:
        message = "no PostgreSQL server on this machine"
        raise LabError(message)
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(folder / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode != 0:
            message = f"{program}: {done.stdout} {done.stderr}"
            raise LabError(message)

    with tempfile.TemporaryDirectory(prefix="aliquot-pg-", ignore_cleanup_errors=True) as home:
        if as_user:
            shutil.chown(home, "postgres")
        data = f"{home}/data"
        run("initdb", "--pgdata", data, "--username", "aliquot", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
        start = (
            "start",
            "--pgdata",
            data,
            "--log",
            f"{home}/log",
            "--options",
            options,
            "--timeout",
            _PATIENCE_SECONDS,
        )
        run("pg_ctl", *start, "--wait")
        try:
            yield f"postgresql://aliquot@/postgres?host={home}"
        finally:
            run("pg_ctl", "stop", "--pgdata", data, "--mode", "immediate", "--wait")
