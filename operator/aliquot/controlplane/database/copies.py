"""A copy of a SQLite database in one file, made while others use it, and a database made of such a copy.

A copy has all that was written before, and nothing by halves. Whoever can read it can do everything, so only its owner
may. PostgreSQL brings programs of its own for both (docs/control-plane.md).
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from aliquot.controlplane.settings import DatabaseSettings
from aliquot.errors import AliquotError, UserError

_OWNERS_ONLY: Final = 0o600
_VERSION: Final = "SELECT version_num FROM alembic_version"


class CopyError(AliquotError):
    """A copy could not be made, or no database be made of it. The message says why; nothing was changed."""


def back_up(settings: DatabaseSettings, to: Path) -> None:
    """Copy a database to a file that is not there yet.

    Raises:
        UserError: it is none of SQLite, or the file is there.
        CopyError: there is no database, or it cannot be read.
        OSError: the file cannot be written.
    """
    source = _file(settings)
    if not source.exists():
        raise CopyError(f"there is no database {source}")
    if to.exists():
        raise UserError("FILE", str(to), "a file that is not there yet")
    unfinished = _unfinished(to)
    try:
        with closing(sqlite3.connect(source, timeout=settings.busy_seconds)) as connection:
            _check(connection, source)
            connection.execute("VACUUM INTO ?", (str(unfinished),)).close()
        _put(unfinished, to)
    except sqlite3.Error as error:
        raise CopyError(f"{source}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def restore(settings: DatabaseSettings, source: Path, *, replace: bool) -> None:
    """Make a database of a copy; it is brought up to date when it is served.

    Args:
        settings: where the database is.
        source: the copy, which stays as it is.
        replace: whether it may take the place of another database, which is lost.

    Raises:
        UserError: the database is none of SQLite, or one is there that must not be replaced.
        CopyError: the file is no copy of a database, or a process has the database open.
        OSError: a file cannot be read or written.
    """
    target = _file(settings)
    if target.exists() and not replace:
        raise UserError("--database", settings.url, "one that is not there yet, or --replace")
    unfinished = _unfinished(target)
    try:
        with source.open("rb") as copied, unfinished.open("wb") as written:
            shutil.copyfileobj(copied, written)
        with closing(sqlite3.connect(unfinished)) as connection:
            _check(connection, source)
            if (found := connection.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise CopyError(f"{source} is damaged: {found}")
        if target.exists():
            _close(target)
        _put(unfinished, target)
    except sqlite3.Error as error:
        raise CopyError(f"{source}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _file(settings: DatabaseSettings) -> Path:
    url = make_url(settings.url)
    if url.get_backend_name() != "sqlite" or url.database is None:
        shown = url.render_as_string(hide_password=True)
        raise UserError("--database", shown, "sqlite:///FILE; of PostgreSQL pg_dump makes copies")
    return Path(url.database)


def _unfinished(file: Path) -> Path:
    """An empty file beside another one, which only its owner may read."""
    made = file.with_name(f"{file.name}.{os.getpid()}.unfinished")
    os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNERS_ONLY))
    return made


def _check(connection: sqlite3.Connection, file: Path) -> None:
    try:
        connection.execute(_VERSION).close()
    except sqlite3.DatabaseError as error:
        raise CopyError(f"{file} is no database of Aliquot: {error}") from error


def _close(target: Path) -> None:
    """See that nobody has the database open, and that nothing of it is in files beside it.

    Raises:
        CopyError: somebody has.
    """
    try:
        with closing(sqlite3.connect(target, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").close()
    except sqlite3.OperationalError as error:
        raise CopyError(f"a process has {target} open: stop it first ({error})") from error
    except sqlite3.DatabaseError:
        pass  # it is damaged, which is why it is to be replaced
    for beside in ("-wal", "-shm"):
        target.with_name(f"{target.name}{beside}").unlink(missing_ok=True)


def _put(unfinished: Path, file: Path) -> None:
    """Give a file its name, once it is on the disk."""
    _sync(unfinished)
    unfinished.replace(file)
    _sync(file.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
