"""What a workload is called, how its pods are marked, and whose it is."""

from typing import Annotated, Final

from aliquot.contracts.kinds.rules import StringRules
from aliquot.contracts.kinds.shapes import LONG_NAME_LENGTH, NAME_LENGTH, Check, Shape, text
from aliquot.contracts.kinds.wrappers import UNDER_A_KEY, KeyedItems, ShortText, Value

JOB_NAME_LENGTH: Final = 52
"""Longest visible name of a workload. Its pods are called NAME-INDEX-ATTEMPT and a pod's host name has at most 63
characters, which leaves five digits for the index and four for the attempt."""
NAME_PREFIX_LENGTH: Final = JOB_NAME_LENGTH - 7
"""Longest prefix of a generated name: a dash and six digits follow."""


def _job_name(longest: int, what: str) -> Check:
    return Check(
        rule=f"self.size() <= {longest} && self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message=f"must have at most {longest} characters, {what}: lower-case letters, digits and '-', with a letter "
        "first and no '-' last",
    )


JobName = Value[
    Annotated[str, text(LONG_NAME_LENGTH, _job_name(JOB_NAME_LENGTH, "so that its pods' names fit"))], StringRules
]
NamePrefix = Value[
    Annotated[str, text(LONG_NAME_LENGTH, _job_name(NAME_PREFIX_LENGTH, "so that a number can follow"))], StringRules
]
Annotations = KeyedItems[Annotated[str, text(32768), UNDER_A_KEY]]
Labels = KeyedItems[Annotated[str, text(NAME_LENGTH), UNDER_A_KEY]]


class IdentityParameters(Shape):
    """What a workload is called, how its pods are marked, and whose it is."""

    checks = (
        Check(
            rule="!(has(self.namePrefix) && has(self.namePrefix.value) && has(self.name) && has(self.name.value))",
            message="name and namePrefix exclude one another: give a name, or a prefix to make one from",
            field=".namePrefix",
        ),
    )

    annotations: Annotations = Annotations()
    """Annotations of the pods, by key."""
    labels: Labels = Labels()
    """Labels of the pods, by key."""
    name: JobName = JobName()
    """Name under which the workload is known, and from which its pods have theirs. Not together with namePrefix; with
    neither, a name job-1, job-2 and so on is chosen. The object's own name in metadata does not matter."""
    name_prefix: NamePrefix = NamePrefix()
    """Beginning of a name: a dash and the lowest free number are added."""
    user_id: ShortText = ShortText()
    """Identity of the owner, as the subject of their token says it."""
    username: ShortText = ShortText()
    """Name of the owner, for display."""
