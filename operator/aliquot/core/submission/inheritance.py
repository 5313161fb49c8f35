"""What a workload takes from a template and a policy, once, at its submission (cluster-api.md 1.6, 4).

    template ─┐
              ├─▶ inherit ─▶ Inheritance ──kept in the workload's status──▶ with_inherited
    policy ───┘               └─▶ with everything that the policy does not allow

A policy or template that changes later concerns later submissions only, so what was taken is written down before the
first pod is made. All kinds are treated alike; the master of a distributed workload takes from its template's master,
and a policy's rules hold for it too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.shapes import Resource, Shape
from aliquot.contracts.kinds.status import MAX_ORIGINS
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kinds.workloads import DistributedSpec, MasterSpec, Workload
from aliquot.core.submission import master
from aliquot.core.submission.layers import Layer, Parameters, origins, over, settled
from aliquot.core.submission.master import GPUS, MASTER, asks_for_gpus, master_of, over_workers
from aliquot.core.submission.own_values import misplaced, own_values
from aliquot.core.submission.policy import PolicyViolation, violations
from aliquot.core.submission.spec import NodeTypesLeft
from aliquot.errors import UserError

PolicyT = TypeVar("PolicyT", bound=Resource)
WorkloadT = TypeVar("WorkloadT", bound=Workload)

NOT_TAKEN: Final = frozenset({"name"})
"""Parameters that no workload takes from others: two would have one name."""


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a workload takes from others, as plain JSON that its status can keep.

    Attributes:
        template: namespace and name of the template, joined by a slash; None: there is none.
        policy: the same of the policy.
        values: parameters as in a spec, without rules; of items, DEFAULTS and deletions too. Under `masterSpec` those
            of a distributed workload's master.
        origins: `gpu`, `ports[ui]` or `masterSpec.gpu` → the layer below the workload that gives it, or would.
        refusals: what the policy does not allow in the workload or in its template, and what its template may not say.
            What is kept has none.
    """

    template: str | None = None
    policy: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    origins: Mapping[str, str] = field(default_factory=dict[str, str])
    refusals: tuple[UserError, ...] = ()


NOTHING: Final = Inheritance()
"""What is taken where there is neither template nor policy."""


class Surroundings(Protocol):
    """Where templates, policies and projects are looked up."""

    @property
    def shared_namespace(self) -> str:
        """Where templates and policies for all projects are."""
        ...

    def base(self, kind: str, namespace: str, name: str) -> Workload | None:
        """The workload of that kind and name."""
        ...

    def policies(self, kind: str, namespace: str) -> Iterable[Policy]:
        """The policies for workloads of a kind, such as `TrainingWorkload`, in a namespace."""
        ...

    def project_of(self, namespace: str) -> Project | None:
        """The project that a namespace belongs to; None: none, or one that does not exist."""
        ...

    def node_types(self, project: Project) -> tuple[NodeTypesLeft, NodeTypesLeft]:
        """What project and department leave of the types of nodes: for training, and for interactive work."""
        ...


def kept_inheritance(workload: Workload) -> Inheritance | None:
    """What a workload's status says that it takes from others; None: it says nothing."""
    kept = workload.status.inherited
    return None if kept is None else Inheritance(kept.template, kept.policy, kept.values, kept.origins)


def submitted(workload: Workload) -> bool:
    """Whether its status says that the workload is submitted: what changes in policies and templates passes it by."""
    return workload.status.inherited is not None or workload.status.creation_status == "Submitted"


def policy_in_force(policies: Iterable[PolicyT]) -> PolicyT | None:
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


def inherit(workload: Workload, template: Workload | None, policy: Policy | None) -> Inheritance:
    """Take what a workload does not say itself from its template, and from its policy what neither says.

    Args:
        workload: as the API server gives it.
        template: the workload of the same kind that it names as its baseWorkload.
        policy: the one in force for its kind.
    """
    if template is None and policy is None:
        return NOTHING
    shared = _taken(of_kind(type(workload).__name__))
    base = None if template is None else own_values(template)
    of_template: Shape = type(workload.spec)() if base is None else over(shared, type(workload.spec)(), base.spec)
    of_master = None if base is None else _master_of_template(base)
    taken = of_template if policy is None else over(shared, of_template, policy.spec)
    layers = [(Layer.TEMPLATE, of_template), (Layer.POLICY, None if policy is None else policy.spec)]
    of_values = {path: str(layer) for path, layer in origins(shared, layers).items()}
    master_origins = origins(master.PARAMETERS, [(Layer.TEMPLATE, of_master)])
    of_values |= {f"{MASTER}.{path}": str(layer) for path, layer in master_origins.items()}
    broken = () if policy is None else _broken(own_values(workload), of_template, of_master, policy)
    return Inheritance(
        template=None if template is None else _name(template),
        policy=None if policy is None else _name(policy),
        values={**_written(taken), **({} if of_master is None else {MASTER: _written(of_master)})},
        origins=dict(islice(of_values.items(), MAX_ORIGINS)),
        refusals=(*(() if template is None else _of_template(template)), *broken),
    )


def with_inherited(workload: WorkloadT, inheritance: Inheritance) -> WorkloadT:
    """Return a workload with everything that it takes from others, its spec ready to be read.

    Its master's part has all that its spec has, and what only layers need is still in it.
    """
    workload = own_values(workload)
    parameters, given = of_kind(type(workload).__name__), workload.spec
    values = {name: value for name, value in inheritance.values.items() if name != MASTER}
    whole = over(parameters, given, type(given).model_validate(values)) if values else given
    changes: dict[str, object] = {"spec": settled(parameters, whole)}
    if isinstance(whole, DistributedSpec):
        of_template = inheritance.values.get(MASTER)
        theirs = None if of_template is None else MasterSpec.model_validate(of_template)
        own = _master(workload, theirs, no_master=whole.no_master.value)
        changes["master_spec"] = None if own is None else over_workers(own, whole)
    return workload.model_copy(update=changes)


def _taken(parameters: Parameters) -> Parameters:
    return {name: parameter for name, parameter in parameters.items() if name not in NOT_TAKEN}


def _master_of_template(template: Workload) -> MasterSpec | None:
    theirs = master_of(template)
    return None if theirs is None else over(_taken(master.PARAMETERS), MasterSpec(), theirs)


def _master(workload: Workload, of_template: MasterSpec | None, *, no_master: bool | None) -> MasterSpec | None:
    """What a workload and its template say of the master; of a template's, whoever wants no master hears nothing."""
    own = master_of(workload)
    if of_template is None or (own is None and no_master):
        return own
    return over(master.PARAMETERS, own or MasterSpec(), of_template)


def _of_template(template: Workload) -> Iterable[UserError]:
    """What is misplaced in a template, told to whoever names it."""
    for error in misplaced(template):
        yield UserError(
            "spec.baseWorkload", template.metadata.name, f"a template whose {error.field} is {error.allowed}"
        )


def _broken(
    workload: Workload, of_template: Shape, of_master: MasterSpec | None, policy: Policy
) -> tuple[PolicyViolation, ...]:
    """Everything that the policy does not allow; what a master shares with the workers is told of once."""
    parameters = of_kind(type(workload).__name__)
    given = over(parameters, workload.spec, of_template)
    found = violations(parameters, given, policy.spec)
    if not isinstance(given, DistributedSpec):
        return found
    own = _master(workload, of_master, no_master=over(parameters, given, policy.spec).no_master.value)
    if own is None:
        return found
    shared = () if asks_for_gpus(own) else GPUS
    parameters = {name: each for name, each in master.PARAMETERS.items() if each.attribute not in shared}
    theirs = violations(parameters, over_workers(own, given), policy.spec)
    return (*found, *(replace(each, field=f"{MASTER}.{each.field}") for each in theirs if each not in found))


def _written(spec: Shape) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)


def _name(resource: Resource) -> str:
    return f"{resource.metadata.namespace}/{resource.metadata.name}"
