"""Two administrators who edit the same thing: whoever says which version they saw is refused if it is another by now.

Answers with one department or project have an `ETag`; a request may send it back as `If-Match`. Without that the last
one wins, as the documented API has it.
"""

from typing import Annotated

from fastapi import Header, Response

from aliquot.controlplane.refusals import Outdated

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="Carry it out only if the object still has this ETag.")
]


def check(if_match: str | None, version: int) -> None:
    """See that the object is the one that the caller saw.

    Raises:
        Outdated: it was changed.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if _tag(version) not in (part.strip().removeprefix("W/") for part in if_match.split(",")):
        raise Outdated(details=f"the object was changed meanwhile: its ETag is {_tag(version)}")


def tell(answer: Response, version: int) -> None:
    """Say which version an answer shows."""
    answer.headers["ETag"] = _tag(version)


def _tag(version: int) -> str:
    return f'"{version}"'
