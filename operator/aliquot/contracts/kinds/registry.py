"""Every kind of custom resource that Aliquot serves, and what the API server is told of it."""

from dataclasses import dataclass
from typing import Final, Literal

from aliquot import names
from aliquot.contracts.kinds.config import RunaiConfig
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.policies import DistributedPolicy, InferencePolicy, InteractivePolicy, TrainingPolicy
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kinds.shapes import Resource
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
)


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`.

    Attributes:
        name: its heading.
        path: where the value is in the object.
        description: what it shows.
        wide: whether it is shown with `-o wide` only.
        type: how the value is printed.
    """

    name: str
    path: str
    description: str
    wide: bool = False
    type: Literal["string", "integer", "date"] = "string"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of custom resource.

    Attributes:
        model: its model, the same for all versions.
        versions: the versions served.
        stored: the version in which the API server keeps objects.
        selectable: paths that field selectors may use.
    """

    model: type[Resource]
    plural: str
    group: str = names.RUN_AI_GROUP
    versions: tuple[str, ...]
    stored: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ("runai",)
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What objects say in `kind`."""
        return self.model.__name__

    @property
    def api_version(self) -> str:
        """What objects of the stored version say in `apiVersion`."""
        return f"{self.group}/{self.stored}"

    @property
    def resource(self) -> str:
        """Full name of the resource, such as projects.run.ai; also the name of its definition."""
        return f"{self.plural}.{self.group}"


AGE: Final = Column("Age", ".metadata.creationTimestamp", "Time since the object was made.", type="date")

WORKLOAD_COLUMNS: Final = (
    Column("Project", ".status.project", "Project whose quota the workload uses."),
    Column("Phase", ".status.phase", "Where the workload is in its life."),
    Column("GPUs", ".status.totalAllocatedGPU", "GPUs that the workload holds now."),
    Column("Reason", ".status.reason", "Why the workload is in this phase."),
    AGE,
    Column("Requested", ".status.requestedGPU", "GPUs that the workload asks for.", wide=True),
    Column("Message", ".status.phaseMessage", "Why the workload is in this phase, with numbers.", wide=True),
    Column("Based On", ".spec.baseWorkload", "Workload whose values hold where this one gives none.", wide=True),
    Column("Status", ".status.creationStatus", "Whether everything was made that the workload needs.", wide=True),
)


def _workload(model: type[Resource], *short_names: str) -> Kind:
    return Kind(
        model=model,
        plural=f"{model.__name__.lower()}s",
        versions=("v2alpha1",),
        stored="v2alpha1",
        namespaced=True,
        short_names=short_names,
        categories=("runai", "runai-workloads"),
        columns=WORKLOAD_COLUMNS,
        selectable=(
            ".spec.usage",
            ".spec.baseWorkload",
            ".status.project",
            ".status.phase",
            ".status.reason",
            ".status.jobName",
        ),
    )


def _policy(model: type[Resource], *short_names: str) -> Kind:
    return Kind(
        model=model,
        plural=f"{model.__name__.lower().removesuffix('y')}ies",
        versions=("v2alpha1",),
        stored="v2alpha1",
        namespaced=True,
        short_names=short_names,
        categories=("runai", "runai-policies"),
        columns=(AGE,),
    )


KINDS: Final = (
    # `ip` belongs to Kubernetes' own IPAddress since 1.33; `intp` always means the policy.
    _workload(TrainingWorkload, "tw", "trw"),
    _workload(InteractiveWorkload, "iw"),
    _workload(InferenceWorkload, "infw"),
    _workload(DistributedWorkload, "dw"),
    _policy(TrainingPolicy, "tp"),
    _policy(InteractivePolicy, "ip", "intp"),
    _policy(InferencePolicy, "infp"),
    _policy(DistributedPolicy, "dp"),
    Kind(
        model=Project,
        plural="projects",
        versions=("v1", "v2", "v2alpha1", "v2alpha2"),
        stored="v2",
        namespaced=False,
        short_names=("rp",),
        columns=(
            Column("Department", ".spec.department", "Department that the project belongs to."),
            Column("Namespace", ".status.namespace", "Namespace of the project's workloads."),
            Column("Phase", ".status.phase", "Whether everything is in place."),
            Column("GPUs", r".status.quotaStatus.allocated.nvidia\.com/gpu", "GPUs that the project holds now."),
            AGE,
            Column("Message", ".status.message", "What stands in the way.", wide=True),
        ),
        selectable=(".spec.department", ".status.phase", ".status.namespace"),
    ),
    Kind(
        model=Department,
        plural="departments",
        group=names.SCHEDULING_GROUP,
        versions=("v1", "v2alpha1", "v2alpha2"),
        stored="v2alpha2",
        namespaced=False,
        short_names=("rdep",),
        columns=(
            Column("Phase", ".status.phase", "Whether everything is in place."),
            Column("GPUs", r".status.quotaStatus.allocated.nvidia\.com/gpu", "GPUs that the department holds now."),
            AGE,
            Column("Message", ".status.message", "What stands in the way.", wide=True),
        ),
    ),
    Kind(
        model=NodePool,
        plural="nodepools",
        versions=("v1alpha1",),
        stored="v1alpha1",
        namespaced=False,
        short_names=("rnp",),
        columns=(
            Column("Label", ".spec.labelKey", "Key of the label that the pool's nodes have."),
            Column("Value", ".spec.labelValue", "Value of that label."),
            Column("Phase", ".status.phase", "Whether everything is in place."),
            AGE,
            Column("Message", ".status.message", "What stands in the way.", wide=True),
        ),
    ),
    Kind(
        model=AccessRule,
        plural="accessrules",
        versions=("v1alpha1",),
        stored="v1alpha1",
        namespaced=False,
        short_names=("rar",),
        columns=(
            Column("Subject", ".spec.subjectId", "Who has the role."),
            Column("Role", ".spec.roleName", "The role."),
            Column("Scope", ".spec.scopeName", "Where the subject has it."),
            Column("Phase", ".status.phase", "Whether the rule is in force."),
            AGE,
        ),
    ),
    Kind(
        model=ExternalWorkload,
        plural="externalworkloads",
        versions=("v1alpha1",),
        stored="v1alpha1",
        namespaced=True,
        short_names=("ew",),
        columns=(
            Column("Type", ".spec.type", "Kind of the workload."),
            Column("Project", ".spec.projectName", "Project whose quota the workload uses."),
            Column("Phase", ".status.observedStatus.phase", "Where the workload is in its life."),
            AGE,
        ),
    ),
    Kind(
        model=RunaiJob,
        plural="runaijobs",
        versions=("v1",),
        stored="v1",
        namespaced=True,
        short_names=("rj",),
        columns=(
            Column("Completions", ".spec.completions", "Pods that must succeed.", type="integer"),
            Column("Succeeded", ".status.succeeded", "Pods that ended well.", type="integer"),
            Column("Active", ".status.active", "Pods that run or wait.", type="integer"),
            AGE,
        ),
    ),
    Kind(
        model=RunaiConfig,
        plural="runaiconfigs",
        versions=("v1",),
        stored="v1",
        namespaced=True,
        columns=(AGE,),
    ),
)
"""All kinds, workloads first."""
