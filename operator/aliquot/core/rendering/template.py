"""The pods of a workload of any kind, apart from what tells one from another (cluster-api.md 11)."""

from collections.abc import Mapping

from aliquot import names, naming
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.environment import NOTHING_MORE, environment, expanded
from aliquot.core.rendering.fetching import fetchers
from aliquot.core.rendering.placing import placing
from aliquot.core.rendering.resources import gpu_annotations, resources
from aliquot.core.rendering.security import container_security, pod_security
from aliquot.core.rendering.tensorboard import tensorboard_container
from aliquot.core.rendering.volumes import Volumes, volumes_of
from aliquot.core.submission import ValidPod


def pod_labels(pod: ValidPod, context: Context, further: Mapping[str, str]) -> dict[str, str]:
    """Return a pod's labels: the user's, then ours.

    Args:
        pod: with those of the user.
        context: whose it is.
        further: of ours, those that tell it from others of the workload.
    """
    ours = {**context.mark(), names.PRIORITY_CLASS_LABEL: pod.priority_class, **further}
    if len(pod.placement.node_pools) == 1:
        ours[names.NODE_POOL_LABEL] = pod.placement.node_pools[0]
    return _joined(pod.identity.labels, ours)


def pod_annotations(pod: ValidPod, further: Mapping[str, str]) -> dict[str, str]:
    """Return a pod's annotations: the user's, then ours; `further` as for labels."""
    ours = dict(further)
    if pod.identity.user is not None:
        ours[names.USER_ANNOTATION] = pod.identity.user
    if pod.identity.user_id is not None:
        ours[names.USER_ID_ANNOTATION] = pod.identity.user_id
    if pod.placement.node_pools:
        ours[names.NODE_POOLS_ANNOTATION] = ",".join(pod.placement.node_pools)
    return _joined(pod.identity.annotations, {**ours, **gpu_annotations(pod.compute.gpus)})


def pod_spec(
    pod: ValidPod,
    context: Context,
    index: int | None,
    restart_policy: str = "Never",
    further: Mapping[str, str] = NOTHING_MORE,
) -> Manifest:
    """Return a pod's spec.

    Args:
        pod: what is asked for.
        context: where it runs.
        index: which of the workload's completions it works on, from 0; None: all such pods are alike.
        restart_policy: what its node does when the container ends.
        further: variables that its framework reads.
    """
    mounted = volumes_of(pod, context)
    before = fetchers(pod)
    return {
        "schedulerName": names.SCHEDULER_NAME,
        "restartPolicy": restart_policy,
        "priorityClassName": pod.priority_class,
        **placing(pod.placement, context),
        # The Multi-Process Service and its clients share memory.
        **({"hostIPC": True} if pod.security.host_ipc or pod.compute.gpus.mps else {}),
        # On the node's network, the names of Services are found only if that is said.
        **({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"} if pod.network.host_network else {}),
        "securityContext": pod_security(pod.security, restricted=context.restricted),
        **({"initContainers": before} if before else {}),
        "containers": [_container(pod, context, index, mounted, further), *_beside(pod, context, mounted)],
        **({"volumes": mounted.volumes} if mounted.volumes else {}),
    }


def main_container(context: Context) -> str:
    """Return the name of the container in which the user's process runs."""
    return naming.dns_label(context.job_name)


def _joined(theirs: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    assert not theirs.keys() & ours.keys(), "submission refuses names that are ours"
    return {**theirs, **ours}


def _container(
    pod: ValidPod, context: Context, index: int | None, mounted: Volumes, further: Mapping[str, str]
) -> Manifest:
    process = pod.process
    parts: Manifest = {
        "name": main_container(context),
        "image": process.image,
        "imagePullPolicy": process.image_pull_policy,
        "command": expanded(process.command, context),
        "args": expanded(process.arguments, context),
        "workingDir": process.working_dir,
        "stdin": process.stdin,
        "tty": process.tty,
        "env": environment(pod, context, index, further),
        "ports": _ports(pod),
        "resources": resources(pod.compute),
        "volumeMounts": mounted.mounts,
        "volumeDevices": mounted.devices,
        "securityContext": container_security(pod.security, restricted=context.restricted),
    }
    return {name: part for name, part in parts.items() if part}


def _beside(pod: ValidPod, context: Context, mounted: Volumes) -> list[Manifest]:
    """List the containers that run beside the main one."""
    board = pod.tensorboard
    return [] if board is None else [tensorboard_container(board, pod, context, mounted.mounts)]


def _ports(pod: ValidPod) -> list[Manifest]:
    """List the main container's ports, each once."""
    pairs = [(port.container, port.protocol) for port in pod.network.ports]
    pairs += [(url.container, "TCP") for url in pod.network.urls]
    taken = () if pod.tensorboard is None else ((pod.tensorboard.port, "TCP"),)
    return [{"containerPort": pair[0], "protocol": pair[1]} for pair in dict.fromkeys(pairs) if pair not in taken]
