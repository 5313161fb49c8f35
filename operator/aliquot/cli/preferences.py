"""What a user has chosen once and for all: a project, a cluster. Kept in a small YAML file in their home."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from aliquot.errors import UserError


@dataclass(frozen=True, slots=True)
class Preferences:
    """What was chosen.

    Attributes:
        project: where commands look that name none; None: the kubeconfig says.
        cluster: context of the kubeconfig; None: its current one.
    """

    project: str | None = None
    cluster: str | None = None


def preferences_file(environment: Mapping[str, str]) -> Path:
    """Where they are kept: `$XDG_CONFIG_HOME/aliquot/config.yaml`, by default below `~/.config`."""
    home = Path(environment.get("HOME") or "/")
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "aliquot" / "config.yaml"


def read_preferences(environment: Mapping[str, str]) -> Preferences:
    """Read what was chosen; nothing, if there is no file.

    Raises:
        UserError: the file makes no sense.
    """
    file = preferences_file(environment)
    if not file.is_file():
        return Preferences()
    try:
        read: object = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(str(file), str(error).splitlines()[0], "YAML with `project` and `cluster`") from error
    found = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    values = {name: found.get(name) for name in ("project", "cluster")}
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise UserError(f"{file}: {name}", value, "a name")
    return Preferences(**values)


def write_preferences(environment: Mapping[str, str], chosen: Preferences) -> None:
    """Keep what was chosen."""
    file = preferences_file(environment)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(yaml.safe_dump({name: value for name, value in asdict(chosen).items() if value}))
    unfinished.replace(file)
