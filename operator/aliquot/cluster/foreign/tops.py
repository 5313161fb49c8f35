"""The workload that people made: the highest owner of a pod that we know of, or the pod itself."""

from dataclasses import dataclass

from aliquot import names
from aliquot.cluster.mirror.mirror import belonging_of
from aliquot.contracts.kubernetes import OwnerReference, Pod
from aliquot.core.intake.group_table import CORE_POD, Chain, OwnerKey, group_of


@dataclass(frozen=True, slots=True)
class Top:
    """A workload of another kind.

    Attributes:
        key: where it is.
        api_version: of the object.
        uid: which one.
    """

    key: OwnerKey
    api_version: str
    uid: str


def top_of(pod: Pod, chain: Chain) -> Top | None:
    """The workload that the pod belongs to; None: one of our own kinds, which has a status itself."""
    if belonging_of(pod) is not None:
        return None
    namespace = pod.metadata.namespace
    stranger = chain.unknown or chain.missing
    groups = [*(owner.key.group for owner in chain.owners), *([group_of(stranger)] if stranger is not None else [])]
    if names.RUN_AI_GROUP in groups:
        return None
    if chain.owners:
        highest = chain.owners[-1]
        return Top(highest.key, highest.api_version, highest.uid)
    if stranger is not None:
        return top_of_reference(stranger, namespace)
    return Top(OwnerKey(*CORE_POD, namespace, pod.metadata.name), "v1", pod.metadata.uid)


def top_of_reference(reference: OwnerReference, namespace: str) -> Top:
    """The workload that an owner reference names."""
    key = OwnerKey(group_of(reference), reference.kind, namespace, reference.name)
    return Top(key, reference.api_version, reference.uid)
