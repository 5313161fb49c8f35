"""What projects, departments and node pools may be called."""

from typing import Annotated

from aliquot.contracts.kinds.shapes import DNS_LABEL, NAME_LENGTH, Check, list_of, text
from aliquot.contracts.kinds.texts import Name

ONE_LABEL = Check(
    rule=f"self.matches('{DNS_LABEL}')",
    message="must be lower-case letters, digits and '-', with a letter or digit first and last",
)

PoolName = Annotated[str, text(NAME_LENGTH, ONE_LABEL)]
Names = Annotated[tuple[Name, ...], list_of(1000)]


def named(longest: int, why: str = "") -> Check:
    """Make the rule about an object's own name."""
    return Check(
        rule=f"self.metadata.name.size() <= {longest} && self.metadata.name.matches('{DNS_LABEL}')",
        message=f"metadata.name must have at most {longest} characters{why}: lower-case letters, digits and '-', "
        "with a letter or digit first and last",
        field=".metadata.name",
    )
