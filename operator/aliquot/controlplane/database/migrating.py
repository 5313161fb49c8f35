"""Bringing a database up to date, whichever version of Aliquot made it.

Each step is one transaction: a process that dies in it leaves the database as it was before that step. Of several
instances that start at once, one does it and the others wait.
"""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from aliquot.controlplane.database.engine import Database
from aliquot.errors import AliquotError


class UnknownVersion(AliquotError):  # noqa: N818 - it says what is wrong
    """A newer Aliquot has been at work on this database."""


def migrate(database: Database, version: str = "head") -> None:
    """Bring the database to a version; one that is there already is left alone.

    Raises:
        UnknownVersion: it is of a version that this Aliquot does not know.
        Unavailable: the database does not answer.
    """
    with as_file(files("aliquot.controlplane.database") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        with database.writing() as session:
            connection = session.connection()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, version)
            except CommandError as error:
                raise UnknownVersion(f"the database is not of this version of Aliquot: {error}") from error
