"""The namespace of a project: which one it is, and what it still needs.

    spec.namespace given    that one; it must exist, and is labelled
    one labelled for it     that one (`kubectl label namespace NAME runai/queue=PROJECT`)
    else                    runai-NAME, made when it is missing

Where administrators own the namespaces (`createNamespaces: false` in the RunaiConfig, control-plane-api.md 4.6), none
is made or labelled here: the project waits, and says which command is missing.

The label `runai/queue` is the only bond: who holds it decides which project's quota the pods of a namespace use. So a
namespace labelled for another project is never taken over, and those of the system are nobody's. Nothing here ever
removes a namespace: deleting a project leaves its namespace and pods where they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kubernetes import Namespace

RESERVED: Final = names.RESERVED_NAMESPACES
"""Namespaces of the system (cluster-api.md 3.5), which no project can have."""

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands in a project's way.

    Attributes:
        code: one word for programs; the project's phase.
        message: a sentence with the cure.
        lasting: whether it stays until the project itself is changed, whatever becomes of namespaces.
    """

    code: str
    message: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class NamespacePlan:
    """What is to be done about a project's namespace.

    Attributes:
        name: which namespace it is.
        create: make it, with the labels.
        labels: to be set, all together; empty when the namespace has them.
        problem: why nothing can be done, or None. Then there is nothing to create or label.
        others: further namespaces labelled for the project, by name. Their pods use its quota, too.
    """

    name: str
    create: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: _NONE)
    problem: Problem | None = None
    others: tuple[str, ...] = ()


def namespace_name(project: Project) -> str:
    """The namespace that is the project's unless another one is labelled for it."""
    return project.spec.namespace or f"{names.PROJECT_NAMESPACE_PREFIX}{project.metadata.name}"


def namespace_plan(
    project: Project, labelled: Sequence[Namespace], own: Namespace | None, *, is_ours_to_make: bool = True
) -> NamespacePlan:
    """Decide what the project's namespace needs.

    Args:
        project: the project.
        labelled: the namespaces that carry `runai/queue` with its name, in any order.
        own: the namespace called `namespace_name(project)`, or None where there is none.
        is_ours_to_make: whether namespaces are made and labelled here; else administrators do so.
    """
    chosen = _chosen(project, labelled, own)
    name = chosen.metadata.name if chosen else namespace_name(project)
    others = tuple(sorted({each.metadata.name for each in labelled} - {name}))
    problem = _problem(project, name, chosen)
    if problem is not None:
        return NamespacePlan(name, problem=problem, others=others)
    there = chosen.metadata.labels if chosen else _NONE
    if not is_ours_to_make:
        return NamespacePlan(name, problem=_left_to_others(project, name, chosen), others=others)
    wanted = {
        names.QUEUE_LABEL: project.metadata.name,
        names.NAMESPACE_VERSION_LABEL: names.NAMESPACE_VERSION,
    }
    if chosen is None or there.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY:
        wanted[names.MANAGED_BY_LABEL] = names.MANAGED_BY  # ours stays ours: labels are applied as one set
    done = wanted.items() <= there.items()
    return NamespacePlan(name, create=chosen is None, labels=_NONE if done else wanted, others=others)


def not_a_projects(namespace: str, named: str | None) -> str:
    """Why nothing that is submitted in a namespace runs: it is no project's.

    Args:
        namespace: its name.
        named: the project that its label names and that does not exist; None: it has no such label.
    """
    if named is not None:
        return f"the project {named} of the namespace {namespace} does not exist"
    return (
        f"the namespace {namespace} belongs to no project: submit in a project's namespace, or let an "
        f"administrator label it {names.QUEUE_LABEL}=<project>"
    )


def _chosen(project: Project, labelled: Sequence[Namespace], own: Namespace | None) -> Namespace | None:
    if project.spec.namespace:
        return own
    before = project.status.namespace

    def order(namespace: Namespace) -> tuple[bool, bool, bool, str, str]:
        metadata = namespace.metadata
        is_own = own is not None and metadata.name == own.metadata.name
        return (_going(namespace), metadata.name != before, not is_own, metadata.creation_timestamp, metadata.name)

    return min(labelled, key=order, default=own)


def _problem(project: Project, name: str, chosen: Namespace | None) -> Problem | None:
    if name in RESERVED:
        cure = (
            "choose another one in spec.namespace"
            if project.spec.namespace
            else f"name one in spec.namespace, or take {names.QUEUE_LABEL} off this one"
        )
        message = f"Namespace {name} belongs to the system: {cure}."
        return Problem("NamespaceReserved", message, lasting=name == namespace_name(project))
    if chosen is None:
        if not project.spec.namespace:
            return None
        return Problem(
            "NamespaceMissing",
            f"Namespace {name}, which spec.namespace names, does not exist: create it (kubectl create namespace "
            f"{name}), or leave spec.namespace out for one that is made.",
        )
    holder = chosen.metadata.labels.get(names.QUEUE_LABEL)
    if holder and holder != project.metadata.name:
        return Problem(
            "NamespaceTaken",
            f"Namespace {name} is labelled for project {holder} ({names.QUEUE_LABEL}={holder}): remove that label, or "
            "name another namespace in spec.namespace.",
        )
    if _going(chosen):
        return Problem(
            "NamespaceTerminating",
            f"Namespace {name} is being deleted: the project goes on when it is gone"
            + (" and has been created again." if project.spec.namespace else "."),
        )
    return None


def _left_to_others(project: Project, name: str, chosen: Namespace | None) -> Problem | None:
    """What administrators still have to do about a namespace that is theirs to make."""
    label = f"kubectl label namespace {name} {names.QUEUE_LABEL}={project.metadata.name}"
    why = "spec.project-controller.createNamespaces of the RunaiConfig is false"
    if chosen is None:
        cure = f"create it and label it (kubectl create namespace {name}; {label}), or label another one"
        return Problem("NamespaceMissing", f"Namespace {name} does not exist, and is not made, as {why}: {cure}.")
    if chosen.metadata.labels.get(names.QUEUE_LABEL) != project.metadata.name:
        said = f"Namespace {name} is not labelled for the project, and is left as it is, as {why}: label it ({label})."
        return Problem("NamespaceNotLabelled", said)
    return None


def _going(namespace: Namespace) -> bool:
    return namespace.status.phase == "Terminating" or namespace.metadata.deletion_timestamp is not None
