"""What an examination of one object takes and gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from aliquot import names
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kubernetes import Namespace
from aliquot.core import submission
from aliquot.core.configuration import ClusterConfig
from aliquot.core.submission import Defaults
from aliquot.core.tenancy import not_a_projects
from aliquot.errors import UserError


class Surroundings(submission.Surroundings, Protocol):
    """What is known of the cluster, from memory: nothing is asked for while somebody waits for an answer."""

    @property
    def config(self) -> ClusterConfig:
        """What the cluster's RunaiConfig says."""
        ...

    @property
    def defaults(self) -> Defaults:
        """What pods get that do not say."""
        ...

    @property
    def projects(self) -> Iterable[Project]:
        """All projects."""
        ...

    @property
    def departments(self) -> Iterable[Department]:
        """All departments."""
        ...

    @property
    def node_pools(self) -> Iterable[NodePool]:
        """All node pools."""
        ...

    @property
    def serves_mpi(self) -> bool:
        """Whether MPIJobs are carried out; true where that is not known."""
        ...

    def namespace(self, name: str) -> Namespace | None:
        """The namespace of that name."""
        ...

    def namespaces_of(self, project: str) -> Sequence[Namespace]:
        """The namespaces labelled as the project's."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong with an object.

    Attributes:
        field: path of the field to blame, such as `spec.gpu.value`.
        text: a sentence that says what is wrong and what is allowed; most begin with the field.
    """

    field: str
    text: str

    @classmethod
    def of(cls, error: UserError) -> Self:
        """The refusal for an error, in the error's own words."""
        return cls(error.field, str(error))

    @property
    def beside_field(self) -> str:
        """The sentence without the field, for those who write the field in front of it themselves."""
        return self.text.removeprefix(f"{self.field}: ")

    def __str__(self) -> str:
        """The sentence."""
        return self.text


@dataclass(frozen=True, slots=True)
class Examination:
    """What there is to say of an object, whatever it was before.

    Attributes:
        refusals: everything that is wrong.
        warnings: what its author should know, a sentence each.
    """

    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()


def homeless(namespace: str, known: Surroundings) -> tuple[str, ...]:
    """The warning that nothing runs in a namespace because it is no project's; no refusal, as it may become one."""
    if known.project_of(namespace) is not None:
        return ()
    held = known.namespace(namespace)
    return (not_a_projects(namespace, held.metadata.labels.get(names.QUEUE_LABEL) if held is not None else None),)
