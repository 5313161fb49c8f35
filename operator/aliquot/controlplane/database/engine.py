"""Connections and transactions, the same on SQLite and PostgreSQL.

    reading()   a snapshot: all that is read in it was true at one moment
    writing()   one at a time for each tenant, so that what a rule has checked is still so when it is written
    reporting() one at a time for each cluster: what clusters say waits neither for each other nor for administrators

On SQLite writers wait for each other anyway (`BEGIN IMMEDIATE`): those of this process in a queue, as SQLite itself has
them look again and again, and lets in who happens to. On PostgreSQL whoever writes locks its tenant's row.
What has been written when `writing()` ends without an error outlives a power cut; else nothing of it was written. What
clusters say need not: a database that lost the last of it does not follow when they go on, and they tell all anew. So
nobody waits for a disk with each of their reports.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Final

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from aliquot.controlplane.settings import DatabaseSettings
from aliquot.errors import AliquotError

_WRITES: Final = "aliquot_writes"
_MAY_BE_LOST: Final = "aliquot_may_be_lost"
_NOBODYS: Final = 4_126_950_734
"""Any number: PostgreSQL's name of the lock for what belongs to no tenant."""
_ALONE: Final = text("SELECT pg_advisory_xact_lock(:id)")
_ALONE_IN_TENANT: Final = text("SELECT id FROM tenants WHERE id = :id FOR UPDATE")
_NO_WAIT_FOR_DISK: Final = text("SET LOCAL synchronous_commit = off")
_ALONE_IN_CLUSTER: Final = text("SELECT id FROM clusters WHERE id = :id FOR NO KEY UPDATE")


class Unavailable(AliquotError):  # noqa: N818 - it says what the database is
    """The database does not answer, or is busy for too long: trying again later may help."""


class Database:
    """A database, open until closed."""

    def __init__(self, settings: DatabaseSettings) -> None:
        url = make_url(settings.url)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        arguments: dict[str, object] = {"timeout": settings.busy_seconds} if self.is_sqlite else {}
        self.engine: Engine = create_engine(
            url if self.is_sqlite else url.set(drivername="postgresql+psycopg"),
            pool_size=settings.connections,
            max_overflow=0,
            pool_timeout=settings.busy_seconds,
            pool_pre_ping=not self.is_sqlite,
            connect_args=arguments,
            hide_parameters=True,  # errors are logged, and parameters may be secrets
            json_deserializer=orjson.loads,
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            self._for_reading = self.engine
        else:
            self._for_reading = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._for_writing = self.engine.execution_options(**{_WRITES: True})
        self._for_reporting = self._for_writing.execution_options(**{_MAY_BE_LOST: True})
        self._turn = Lock()
        self._busy_seconds = settings.busy_seconds

    @contextmanager
    def reading(self) -> Generator[Session]:
        """Give a session that sees one moment, and in which nothing is written.

        Raises:
            Unavailable: the database does not answer.
        """
        with _told(), Session(self._for_reading, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self, tenant_id: int | None = None) -> Generator[Session]:
        """Give a session whose changes are kept when it ends without an error.

        Args:
            tenant_id: whose objects are written: nobody else writes them meanwhile. None: what is written belongs to no
                tenant; the same holds for that.

        Raises:
            Unavailable: the database does not answer.
        """
        with _told(), self._in_turn(), Session(self._for_writing, expire_on_commit=False) as session, session.begin():
            if not self.is_sqlite:
                session.execute(_ALONE if tenant_id is None else _ALONE_IN_TENANT, {"id": tenant_id or _NOBODYS})
            yield session

    @contextmanager
    def reporting(self, cluster_id: str, *, is_told_once: bool = False) -> Generator[Session]:
        """Give a session for what a cluster says of itself; its changes are kept when it ends without an error.

        Args:
            cluster_id: whose; nobody else writes that meanwhile.
            is_told_once: it would not tell all of it anew, so it has to outlive a power cut as well.

        Raises:
            Unavailable: the database does not answer.
        """
        engine = self._for_writing if is_told_once else self._for_reporting
        with _told(), self._in_turn(), Session(engine, expire_on_commit=False) as session, session.begin():
            if not self.is_sqlite:
                if not is_told_once:
                    session.execute(_NO_WAIT_FOR_DISK)
                session.execute(_ALONE_IN_CLUSTER, {"id": cluster_id})
            yield session

    @contextmanager
    def _in_turn(self) -> Generator[None]:
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=self._busy_seconds):
            raise Unavailable(f"the database does not answer: others wrote for {self._busy_seconds:g} s")
        try:
            yield
        finally:
            self._turn.release()

    def answers(self) -> None:
        """Ask the database something.

        Raises:
            Unavailable: it does not answer.
        """
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except (exc.OperationalError, exc.TimeoutError, exc.InterfaceError) as error:
        raise Unavailable(f"the database does not answer: {type(error).__name__}") from error


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says so
    for pragma in (
        "journal_mode = WAL",
        "foreign_keys = ON",
        "case_sensitive_like = ON",  # as in PostgreSQL
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get(_WRITES, False)
    if writes:
        connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if options.get(_MAY_BE_LOST) else 'FULL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
