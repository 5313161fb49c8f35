"""Objects that own pods, as far as the table reads them, and the way from a pod up to them.

    Pod ──▶ ReplicaSet ──▶ Deployment          Pod ──▶ Job ──▶ MPIJob

An object is read once, when it is heard of; nothing else of it is kept.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from aliquot.contracts.kubernetes import Metadata, OwnerReference, Pod
from aliquot.contracts.workload_kinds import Check, WorkloadKind
from aliquot.core.intake.group_table.describe import gang_of
from aliquot.core.intake.group_table.gangs import Gang
from aliquot.core.intake.group_table.table import CORE_POD, Table
from aliquot.core.intake.group_table.values import CONDITIONS, STATUS_PHASE, Reader, entries, holds, text
from aliquot.core.intake.times import unix_seconds

MOST_OWNERS: Final = 16
"""Above one pod; a circle of owners ends here."""
_NONE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class OwnerKey:
    """Where an object is. Versions of a kind make no difference."""

    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How an object stands by its own account.

    Attributes:
        outcome: how it ended; None: it has not.
        stopped: it is suspended.
        word: what it says of itself in one word; may be empty.
    """

    outcome: Literal["Completed", "Failed"] | None = None
    stopped: bool = False
    word: str = ""


@dataclass(frozen=True, slots=True)
class OwnerObject:
    """An object of a kind in the table.

    Attributes:
        key: where it is.
        uid: which one.
        api_version: as its pods' owner references have it.
        kind: its entry in the table.
        labels: its labels.
        annotations: its annotations.
        owner: what controls it; None: nothing.
        created: in Unix seconds.
        deleting: its deletion was asked for.
        gang: what of it starts together.
        priority_classes: those that it names, the first counts.
        requested: how many pods it asks for, by member of a report's `requestedPods`.
        ended: how it stands.
        problems: what it says and makes no sense, a sentence each.
    """

    key: OwnerKey
    uid: str
    api_version: str
    kind: WorkloadKind
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owner: OwnerReference | None
    created: float
    deleting: bool
    gang: Gang
    priority_classes: tuple[str, ...] = ()
    requested: Mapping[str, int] = field(default_factory=dict[str, int])
    ended: Ended = Ended()
    problems: tuple[str, ...] = ()

    def groups_as(self, other: "OwnerObject") -> bool:
        """Whether its pods are scheduled together just as those of the other, which may be the same some time ago."""
        return (
            self.uid == other.uid
            and self.gang == other.gang
            and self.kind == other.kind
            and self.labels == other.labels
            and self.annotations == other.annotations
            and self.owner == other.owner
            and self.priority_classes == other.priority_classes
        )


def owner_object(kind: WorkloadKind, api_version: str, metadata: Metadata, body: Mapping[str, object]) -> OwnerObject:
    """Read an object.

    Args:
        kind: its entry in the table.
        api_version: of the object.
        metadata: of the object.
        body: its other members, as far as `needs_of` asks for them.
    """
    problems: list[str] = []
    labelled = {**body, "metadata": {"labels": metadata.labels, "annotations": metadata.annotations}}
    reader = Reader(labelled, problems)
    requested = {name: reader.number(asked) for name, asked in kind.requested}
    return OwnerObject(
        key=OwnerKey(kind.group, kind.kind, metadata.namespace, metadata.name),
        uid=metadata.uid,
        api_version=api_version,
        kind=kind,
        labels=metadata.labels,
        annotations=metadata.annotations,
        owner=controller_of(metadata),
        created=unix_seconds(metadata.creation_timestamp),
        deleting=metadata.deletion_timestamp is not None,
        gang=gang_of(kind, labelled, problems),
        priority_classes=tuple(named for path in kind.priority_class_from if (named := text(labelled, path))),
        requested={name: count for name, count in requested.items() if count is not None},
        ended=_ended(kind, labelled),
        problems=tuple(dict.fromkeys(problems)),
    )


def _ended(kind: WorkloadKind, body: Mapping[str, object]) -> Ended:
    def one_of(tests: list[Check]) -> bool:
        return any(holds(test, body) for test in tests)

    outcome = "Failed" if one_of(kind.failed) else "Completed" if one_of(kind.completed) else None
    holding = [entry for _, entry in entries(body, CONDITIONS) if text(entry, ("status",)) == "True"]
    word = text(body, STATUS_PHASE) or (text(holding[-1], ("type",)) if holding else None)
    return Ended(outcome, one_of(kind.stopped), word or "")


def controller_of(metadata: Metadata) -> OwnerReference | None:
    """What controls an object; where nothing does, what owns it alone."""
    references = metadata.owner_references
    controlling = next((each for each in references if each.controller), None)
    return controlling if controlling is not None or len(references) != 1 else references[0]


def group_of(reference: OwnerReference) -> str:
    """API group of an owner; empty for the core group."""
    group, slash, _ = reference.api_version.partition("/")
    return group if slash else ""


@dataclass(frozen=True, slots=True)
class Chain:
    """A pod's owners.

    Attributes:
        owners: from the nearest to the highest that could be read.
        unknown: what controls the last one and is of a kind that the table does not have; None: nothing does.
        missing: what controls the last one, is of a kind in the table, and is not there (yet); None: nothing.
        named: what the pod names by a label and is not there (yet); None: nothing.
    """

    owners: tuple[OwnerObject, ...] = ()
    unknown: OwnerReference | None = None
    missing: OwnerReference | None = None
    named: OwnerKey | None = None

    @property
    def complete(self) -> bool:
        """Whether everything is there that decides."""
        return self.missing is None and self.named is None

    def waits_for(self) -> str:
        """What is not there, as `kind name`."""
        if self.missing is not None:
            return f"{self.missing.kind} {self.missing.name}"
        return f"{self.named.kind} {self.named.name}" if self.named is not None else ""


Find = Callable[[OwnerKey], OwnerObject | None]
"""The object there; None: there is none, or it is not known."""


def chain_of(pod: Pod, table: Table, find: Find) -> Chain:
    """The pod's owners, as far up as they are known.

    An object of the right name and another uid is not the owner: it came after it.
    """
    owners: list[OwnerObject] = []
    reference = controller_of(pod.metadata)
    namespace = pod.metadata.namespace
    unknown = missing = None
    while reference is not None and len(owners) < MOST_OWNERS:
        group = group_of(reference)
        if table.get(group, reference.kind) is None:
            unknown = reference
            break
        found = find(OwnerKey(group, reference.kind, namespace, reference.name))
        if found is None or found.uid != reference.uid:
            missing = reference
            break
        owners.append(found)
        reference = found.owner
    named = next(iter(_named(pod, table, find)), None)
    return Chain(tuple(owners), unknown, missing, named)


def _named(pod: Pod, table: Table, find: Find) -> Iterator[OwnerKey]:
    for key in keys_named_by(pod, table):
        if find(key) is None:
            yield key


def keys_named_by(pod: Pod, table: Table) -> Iterator[OwnerKey]:
    """Where the objects are that the pod names by labels."""
    for kind in table.named_by:
        name = pod.metadata.labels.get(kind.named_by or "")
        if name:
            yield OwnerKey(kind.group, kind.kind, pod.metadata.namespace, name)


def pod_object(pod: Pod, table: Table) -> OwnerObject | None:
    """The pod itself as an owner of others; None: the table does not have pods."""
    kind = table.get(*CORE_POD)
    if kind is None:
        return None
    body = {"status": {"phase": pod.status.phase}}
    return owner_object(kind, "v1", pod.metadata, body)
