"""The pods of a distributed workload, which the scheduler starts together or not at all, and the Service they meet by.

The rank of a pod is its index. Pods of all frameworks but MPI are made so; that one has an operator of its own (`mpi`).
"""

from typing import Final

from aliquot import names, naming
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.frameworks import HOSTS, framework_of, host_name, replica
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec
from aliquot.core.submission import ValidDistributed

_UID_PART: Final = 8
_LEADER: Final = "leader"
_WORKER: Final = "worker"
_WORKLOAD_LABELS: Final = (names.WORKLOAD_NAME_LABEL, names.WORKLOAD_KIND_LABEL)


def gang_pod(spec: ValidDistributed, context: Context, rank: int, attempt: int, failed_attempts: int) -> Manifest:
    """Make the manifest of the pod of one rank.

    Args:
        spec: what the workload asks for.
        context: where it runs; the pod goes when its owner goes.
        rank: 0 is the master where there is one.
        attempt: how many pods the rank had before, from 0.
        failed_attempts: how many failures of the gang there were before.
    """
    pod, framework = spec.pod(rank), framework_of(spec)
    labels = {
        names.POD_INDEX_LABEL: str(rank),
        names.ATTEMPT_LABEL: str(attempt),
        **_member_labels(spec, context, rank),
    }
    annotations = {
        names.FAILED_ATTEMPTS_ANNOTATION: str(failed_attempts),
        names.POD_GROUP_ANNOTATION: gang_name(context),
        names.MIN_MEMBER_ANNOTATION: _minimum(spec),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(context.job_name, rank, attempt),
            "namespace": context.owner.namespace,
            "labels": pod_labels(pod, context, labels),
            "annotations": pod_annotations(pod, annotations),
            "ownerReferences": [context.owner.reference()],
        },
        "spec": {
            "hostname": host_name(spec, context, rank),
            "subdomain": context.object_name(HOSTS),
            **pod_spec(pod, context, rank, further=framework.variables(spec, context, rank)),
        },
    }


def gang_service(spec: ValidDistributed, context: Context) -> Manifest:
    """Make the manifest of the Service that gives the members of a gang their host names.

    It has no address of its own, and names pods before they are ready: they wait for one another to become so.
    """
    mark, port = context.mark(), framework_of(spec).port
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": context.object_name(HOSTS),
            "namespace": context.owner.namespace,
            "labels": mark,
            "ownerReferences": [context.owner.reference()],
        },
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {label: mark[label] for label in _WORKLOAD_LABELS},
            "ports": [{"name": "gang", "protocol": "TCP", "port": port, "targetPort": port}],
        },
    }


def gang_name(context: Context) -> str:
    """Return the name of the gang that the pods of a workload are: no other workload of its namespace has it."""
    return naming.dns_label(f"{context.job_name}-{context.owner.uid[:_UID_PART]}")


def _minimum(spec: ValidDistributed) -> str:
    """With how many pods the gang starts; an elastic one never without its leader, whoever else is there."""
    if spec.elastic is None:
        return str(spec.least)
    return f"{_LEADER}=1,{_WORKER}={spec.least - 1}"


def _member_labels(spec: ValidDistributed, context: Context, rank: int) -> dict[str, str]:
    member = replica(spec, rank)
    leads = rank < spec.first_worker
    return {
        names.KUBEFLOW_JOB_NAME_LABEL: naming.label_value(context.job_name),
        names.KUBEFLOW_REPLICA_TYPE_LABEL: member.type,
        names.KUBEFLOW_REPLICA_INDEX_LABEL: str(member.index),
        **({names.KUBEFLOW_JOB_ROLE_LABEL: names.KUBEFLOW_MASTER_ROLE} if leads else {}),
        **({} if spec.elastic is None else {names.SUBGROUP_LABEL: _WORKER if rank else _LEADER}),
    }
