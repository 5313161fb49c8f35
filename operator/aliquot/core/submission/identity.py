"""What a workload is called, how its pods are marked, whose it is, and which PriorityClass they have."""

import re
from collections.abc import Mapping
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.parameters import JOB_NAME_LENGTH, NAME_PREFIX_LENGTH
from aliquot.contracts.kinds.parameters.identity import IdentityParameters
from aliquot.core.submission.keys import is_object_name, read_annotations, read_labels
from aliquot.core.submission.pod_values import Identity
from aliquot.core.submission.problems import Problems

LONGEST_USER: Final = 253

_JOB_NAME: Final = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_PRIORITY_CLASS_ALIASES: Final[Mapping[str, str]] = {"interactivePreemptible": names.INTERACTIVE_PREEMPTIBLE_CLASS}
"""Older spellings (cluster-api.md 5.1) that no PriorityClass can have."""

NAME_ALLOWED: Final = (
    f"at most {JOB_NAME_LENGTH} lower-case letters, digits and '-', with a letter first and no '-' last"
)
PREFIX_ALLOWED: Final = NAME_ALLOWED.replace(str(JOB_NAME_LENGTH), str(NAME_PREFIX_LENGTH))


def read_identity(spec: IdentityParameters, carried: Mapping[str, str], problems: Problems) -> Identity:
    """Read what a workload is called, how its pods are marked, and whose it is.

    Args:
        spec: says it.
        carried: annotations of the workload itself. Those that say how close its pods are to be are carried to them
            (scheduling.md 1.3); what `spec.annotations` says counts before.
        problems: takes what is wrong.
    """
    return Identity(
        job_name=_name("name", spec.name.value, JOB_NAME_LENGTH, NAME_ALLOWED, problems),
        name_prefix=_prefix(spec, problems),
        labels=read_labels(spec.labels.items, problems),
        annotations={**on_closeness(carried), **read_annotations(spec.annotations.items, problems)},
        user=_person("username", spec.username.value, problems),
        user_id=_person("userId", spec.user_id.value, problems),
    )


def on_closeness(annotations: Mapping[str, str]) -> dict[str, str]:
    """Those of a workload's annotations that its pods get, too: how close to one another they are to be."""
    return {key: annotations[key] for key in names.CLOSENESS_ANNOTATIONS if key in annotations}


def read_priority_class(labels: Mapping[str, str], default: str, problems: Problems) -> str:
    """Read the PriorityClass of the pods from the labels of the workload itself."""
    written = labels.get(names.PRIORITY_CLASS_LABEL) or default
    name = _PRIORITY_CLASS_ALIASES.get(written, written)
    if not is_object_name(name):
        field = f"metadata.labels[{names.PRIORITY_CLASS_LABEL}]"
        problems.add(field, written, f"the name of a PriorityClass, such as {default}")
    return name


def _name(parameter: str, name: str | None, longest: int, allowed: str, problems: Problems) -> str | None:
    if name is not None and (len(name) > longest or not _JOB_NAME.fullmatch(name)):
        problems.add(f"spec.{parameter}.value", name, allowed)
    return name


def _prefix(spec: IdentityParameters, problems: Problems) -> str | None:
    prefix = spec.name_prefix.value
    if prefix is not None and spec.name.value is not None:
        problems.add("spec.namePrefix.value", prefix, "left out, because spec.name gives the whole name")
        return prefix
    return _name("namePrefix", prefix, NAME_PREFIX_LENGTH, PREFIX_ALLOWED, problems)


def _person(parameter: str, written: str | None, problems: Problems) -> str | None:
    if written is not None and ("\0" in written or len(written) > LONGEST_USER):
        what = "a name" if parameter == "username" else "a text"
        problems.add(f"spec.{parameter}.value", written, f"{what} of at most {LONGEST_USER} characters")
    return written or None
