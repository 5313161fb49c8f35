"""What a release served, as a file: `python -m aliquot.controlplane.deprecation.record FOLDER [YYYY-MM-DD]`.

It writes FOLDER/VERSION.txt for this version; the day is that of its release, and is left out before that.
"""

import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.controlplane.app import application
from aliquot.controlplane.database import Database
from aliquot.controlplane.deprecation.document import served
from aliquot.controlplane.deprecation.rules import Served
from aliquot.controlplane.services import services
from aliquot.controlplane.settings import DEFAULT_DATABASE, ControlPlaneSettings, DatabaseSettings

_RELEASED: Final = "# released: "
_NOT_YET: Final = "not yet"


def now_served() -> frozenset[str]:
    """What this version serves; no database is opened for that."""
    settings = ControlPlaneSettings(database=DatabaseSettings(url=DEFAULT_DATABASE))
    database = Database(settings.database)
    try:
        made = services(settings, "http://localhost", database, SystemClock())
        return served(application(made, CollectorRegistry()).openapi())
    finally:
        database.close()


def written(record: Served) -> str:
    """A record as its file has it."""
    released = _NOT_YET if record.released is None else record.released.isoformat()
    return "".join(f"{line}\n" for line in [f"{_RELEASED}{released}", *sorted(record.names)])


def read(file: Path) -> Served:
    """A record of a file.

    Raises:
        ValueError: it is none.
    """
    first, *names = file.read_text().splitlines()
    if not first.startswith(_RELEASED):
        raise ValueError(f"{file}: does not begin with {_RELEASED!r}")
    day = first.removeprefix(_RELEASED)
    return Served(file.stem, None if day == _NOT_YET else date.fromisoformat(day), frozenset(names))


if __name__ == "__main__":
    _folder, *_day = sys.argv[1:]
    _record = Served(version("aliquot"), date.fromisoformat(_day[0]) if _day else None, now_served())
    (Path(_folder) / f"{_record.version}.txt").write_text(written(_record))
