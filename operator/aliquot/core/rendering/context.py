"""What rendering must know beside a workload's spec: whose it is, and where it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aliquot import names, naming
from aliquot.core.submission import UserCheck

Manifest = dict[str, object]
"""A part of an object, as JSON has it."""


def _no_labels() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Owner:
    """The workload that pods and other objects belong to.

    Attributes:
        labels: the workload's own. They stay there: tools that find their objects by label would take the pods for
            objects of theirs. Labels for pods are a parameter.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=_no_labels)

    def reference(self) -> Manifest:
        """Say that an object belongs to the workload and goes with it."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }


@dataclass(frozen=True, slots=True)
class Context:
    """Where a workload runs.

    Attributes:
        owner: the workload.
        project: whose quota its pods use.
        job_name: its visible name, given or generated.
        restricted: whether the namespace takes only pods of the Pod Security level `restricted`.
        domain: host name of the cluster's addresses for the outside; needed where the workload has such.
        ingress_class: of the Ingress; None: the cluster's default.
        user_check: keeps others off addresses that are for some users; needed where the workload has such.
    """

    owner: Owner
    project: str
    job_name: str
    restricted: bool = False
    domain: str | None = None
    ingress_class: str | None = None
    user_check: UserCheck | None = None

    def mark(self) -> dict[str, str]:
        """The labels of everything that belongs to the workload; those of its pods among them."""
        return {
            names.MANAGED_BY_LABEL: names.MANAGED_BY,
            names.QUEUE_LABEL: self.project,
            names.PROJECT_LABEL: self.project,
            names.RELEASE_LABEL: naming.label_value(self.job_name),
            names.WORKLOAD_NAME_LABEL: naming.label_value(self.owner.name),
            names.WORKLOAD_KIND_LABEL: self.owner.kind,
        }

    def whose(self) -> dict[str, str]:
        """The annotation of pods that an object between them and the workload makes: whose they are."""
        owner = self.owner
        return {names.WORKLOAD_ANNOTATION: f"{owner.kind}/{owner.name}/{owner.uid}"}

    def object_name(self, ending: str = "", beginning: str = "") -> str:
        """Return the name of an object of the workload: a DNS label that begins with a letter."""
        label = naming.dns_label(beginning + self.job_name + ending)
        return label if label[0].isalpha() else naming.dns_label(f"w-{label}")
