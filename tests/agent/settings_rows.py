"""The rows of the guide's table of the agent's settings, made of the settings themselves."""

from typing import cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aliquot.agent.settings import AgentSettings


def rows() -> list[str]:
    """One for each setting."""
    return [
        f"| `ALIQUOT_{group}__{name}`".upper()
        + f" | {_default(field)} | {' '.join((field.description or '').split())} |"
        for group, member in AgentSettings.model_fields.items()
        for name, field in cast("type[BaseModel]", member.annotation).model_fields.items()
    ]


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the host's name"
    if isinstance(field.default, bool):
        return "`true`" if field.default else "`false`"
    return f"`{field.default}`" if str(field.default) else "empty"
