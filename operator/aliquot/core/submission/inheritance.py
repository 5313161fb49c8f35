"""What a workload takes from a template and a policy, once, at its submission (cluster-api.md 1.6, 4).

    template ─┐
              ├─▶ inherit ─▶ Inheritance ──kept in the workload's status──▶ effective_spec
    policy ───┘       └─▶ or everything that the policy does not allow

A policy or template that changes later concerns later submissions only, so what was taken is written down before the
first pod is made.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.policies import TrainingPolicy
from aliquot.contracts.kinds.shapes import Resource, Shape
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kinds.workloads import TrainingWorkload
from aliquot.core.submission.layers import Layer, origins, over, settled
from aliquot.core.submission.policy import violations
from aliquot.core.submission.spec import InvalidWorkload
from aliquot.errors import UserError

ShapeT = TypeVar("ShapeT", bound=Shape)
ResourceT = TypeVar("ResourceT", bound=Resource)

NOT_TAKEN: Final = frozenset({"name"})
"""Parameters that no workload takes from others: two would have one name."""


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a workload takes from others, as plain JSON that its status can keep.

    Attributes:
        template: namespace and name of the template, joined by a slash; None: there is none.
        policy: the same of the policy.
        values: parameters as in a spec, without rules; of items, DEFAULTS and deletions too.
        origins: `gpu` or `ports[ui]` → the layer below the workload that gives it, or would.
    """

    template: str | None = None
    policy: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    origins: Mapping[str, str] = field(default_factory=dict[str, str])


NOTHING: Final = Inheritance()
"""What is taken where there is neither template nor policy."""


class Surroundings(Protocol):
    """Where templates, policies and projects are looked up."""

    @property
    def shared_namespace(self) -> str:
        """Where templates and policies for all projects are."""
        ...

    def base(self, namespace: str, name: str) -> TrainingWorkload | None:
        """The workload of that name."""
        ...

    def policies(self, namespace: str) -> Iterable[TrainingPolicy]:
        """The policies in a namespace."""
        ...

    def project_of(self, namespace: str) -> Project | None:
        """The project that a namespace belongs to; None: none, or one that does not exist."""
        ...


def inheritance_of(workload: TrainingWorkload, known: Surroundings) -> Inheritance:
    """Find what a workload takes from others, were it submitted now.

    Args:
        workload: as the API server gives it.
        known: templates and policies.

    Raises:
        InvalidWorkload: its template cannot be used, or the policy does not allow what it says.
    """
    namespace, shared = workload.metadata.namespace, known.shared_namespace
    kind = type(workload).__name__
    template = base_of(kind, namespace, workload.spec.base_workload, shared, known.base, _is_based)
    policy = policy_in_force(known.policies(namespace)) or policy_in_force(known.policies(shared))
    return NOTHING if template is None and policy is None else inherit(kind, workload.spec, template, policy)


def has_its_base(workload: TrainingWorkload, known: Surroundings) -> bool:
    """Whether the template that a workload names is known, if it names one."""
    base, namespace = workload.spec.base_workload, workload.metadata.namespace
    return not base or any(known.base(where, base) is not None for where in (namespace, known.shared_namespace))


def kept_inheritance(workload: TrainingWorkload) -> Inheritance | None:
    """What a workload's status says that it takes from others; None: it says nothing."""
    kept = workload.status.inherited
    return None if kept is None else Inheritance(kept.template, kept.policy, kept.values, kept.origins)


def submitted(workload: TrainingWorkload) -> bool:
    """Whether its status says that the workload is submitted: what changes in policies and templates passes it by."""
    return workload.status.inherited is not None or workload.status.creation_status == "Submitted"


def _is_based(workload: TrainingWorkload) -> bool:
    return bool(workload.spec.base_workload)


def base_of(
    kind: str,
    namespace: str,
    base_workload: str | None,
    shared_namespace: str,
    find: Callable[[str, str], ResourceT | None],
    chained: Callable[[ResourceT], bool],
) -> ResourceT | None:
    """Find the workload whose values another one takes.

    Args:
        kind: of both.
        namespace: where the other one is.
        base_workload: the name it gives.
        shared_namespace: where those for everybody are.
        find: namespace and name to the workload.
        chained: whether a workload takes values from others itself.

    Raises:
        InvalidWorkload: there is none of that name, or it takes values from others itself.
    """
    if not base_workload:
        return None
    found = find(namespace, base_workload) or find(shared_namespace, base_workload)
    if found is None:
        article = "an" if kind.startswith("I") else "a"
        allowed = f"the name of {article} {kind} in the namespace {namespace} or {shared_namespace}"
    elif chained(found):
        allowed = "a workload that has no baseWorkload itself"
    else:
        return found
    raise InvalidWorkload([UserError("spec.baseWorkload", base_workload, allowed)])


def policy_in_force(policies: Iterable[ResourceT]) -> ResourceT | None:
    """Choose among the policies of one kind in one namespace: the oldest, by name where two are of one age."""
    created = sorted(
        policies,
        key=lambda policy: (
            policy.metadata.creation_timestamp is None,
            policy.metadata.creation_timestamp and policy.metadata.creation_timestamp.timestamp(),
            policy.metadata.name,
        ),
    )
    return created[0] if created else None


def inherit(kind: str, given: Shape, template: Resource | None, policy: Resource | None) -> Inheritance:
    """Take what a workload does not say itself from its template, and from its policy what neither says.

    Args:
        kind: of the workload.
        given: its spec.
        template: the workload that it names as its baseWorkload.
        policy: the policy in force.

    Raises:
        InvalidWorkload: with everything that the policy does not allow, in the workload or in its template.
    """
    parameters = of_kind(kind)
    shared = {name: parameter for name, parameter in parameters.items() if name not in NOT_TAKEN}
    empty = type(given)()
    of_template = empty if template is None else over(shared, empty, _spec(template))
    if policy is not None:
        broken = violations(parameters, over(parameters, given, of_template), _spec(policy))
        if broken:
            raise InvalidWorkload(broken)
    taken = of_template if policy is None else over(shared, of_template, _spec(policy))
    layers = [(Layer.TEMPLATE, of_template), (Layer.POLICY, None if policy is None else _spec(policy))]
    return Inheritance(
        template=None if template is None else _name(template),
        policy=None if policy is None else _name(policy),
        values=taken.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True),
        origins={path: str(layer) for path, layer in origins(shared, layers).items()},
    )


def effective_spec(kind: str, given: ShapeT, inheritance: Inheritance) -> ShapeT:
    """Return a workload's spec with everything that it takes from others, ready to be read."""
    parameters = of_kind(kind)
    if not inheritance.values:
        return settled(parameters, given)
    return settled(parameters, over(parameters, given, type(given).model_validate(inheritance.values)))


def _spec(resource: Resource) -> Shape:
    spec: object = getattr(resource, "spec", None)
    assert isinstance(spec, Shape), f"{type(resource).__name__} has a spec"
    return spec


def _name(resource: Resource) -> str:
    return f"{resource.metadata.namespace}/{resource.metadata.name}"
