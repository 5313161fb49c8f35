"""What a workload has beside its pods: Services, an Ingress, PersistentVolumeClaims (cluster-api.md 1.5, 11).

One set for the whole workload. Names follow from the job's name, so whoever makes them twice meets them the second
time. All go with the workload, but for claims that are not ephemeral: data outlives those who wrote it
(docs/decisions/0009).
"""

from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import quote

from aliquot import names
from aliquot.core.rendering.addresses import paths
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.gang import gang_service
from aliquot.core.rendering.mpi import MPI_KIND
from aliquot.core.rendering.resources import memory_text
from aliquot.core.rendering.volumes import claim_name
from aliquot.core.submission import Valid, ValidDistributed, ValidPod, common_pod
from aliquot.core.submission.pod_values import Port
from aliquot.core.submission.spec import USERS_PLACE
from aliquot.core.submission.volume_values import Claim, NewClaim

_ENDINGS: Final = {"ClusterIP": "", "NodePort": "-nodeport", "LoadBalancer": "-balancer"}
"""Types of Services, and what follows the job's name in theirs if there is one before them in this order."""
_URLS: Final = "-url"


def objects_beside(pod: ValidPod, context: Context) -> list[Manifest]:
    """Make the manifests of what a workload has beside its pods, in the order in which to create them."""
    return [*_claims(pod, context), *_services(pod, context), *_ingresses(pod, context)]


def objects_of(spec: Valid, context: Context) -> list[Manifest]:
    """Make the manifests of what a workload of any kind has beside its pods, in the order in which to create them.

    A gang's Service comes first. What workers and master have beside them is one set, and the workers say which.
    """
    if isinstance(spec, ValidDistributed):
        hosts = [] if spec.job_type == MPI_KIND else [gang_service(spec, context)]
        return [*hosts, *objects_beside(common_pod(spec), context)]
    return objects_beside(common_pod(spec), context)


def existing_claims(spec: Valid) -> tuple[str, ...]:
    """Return the names of the claims that a workload mounts and nobody makes, once each."""
    parts = (spec.worker, spec.master) if isinstance(spec, ValidDistributed) else (common_pod(spec),)
    claims = (claim for part in parts if part is not None for claim in part.storage.claims)
    return tuple(dict.fromkeys(claim.name for claim in claims if claim.new is None and claim.name is not None))


def missing_claim(name: str) -> str:
    """Say that one of them is not there."""
    return (
        f"there is no PersistentVolumeClaim {name} in the namespace: make it, or leave existingPvc out and give a size"
    )


def _metadata(context: Context, name: str, *, owned: bool = True) -> Manifest:
    return {
        "name": name,
        "namespace": context.owner.namespace,
        "labels": context.mark(),
        **({"ownerReferences": [context.owner.reference()]} if owned else {}),
    }


def _claims(pod: ValidPod, context: Context) -> list[Manifest]:
    return [
        _claim(claim, claim.new, claim_name(pod, at, context), context)
        for at, claim in enumerate(pod.storage.claims)
        if claim.new is not None
    ]


def _claim(claim: Claim, new: NewClaim, name: str, context: Context) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(context, name, owned=new.ephemeral),
        "spec": {
            "accessModes": list(new.access_modes),
            "volumeMode": "Block" if claim.block else "Filesystem",
            **({"storageClassName": new.storage_class} if new.storage_class is not None else {}),
            "resources": {"requests": {"storage": memory_text(new.size_bytes)}},
        },
    }


def _services(pod: ValidPod, context: Context) -> list[Manifest]:
    found: list[Manifest] = []
    for service_type, ending in _ENDINGS.items():
        ports = [port for port in pod.network.ports if port.service_type == service_type]
        if ports:
            name = context.object_name(ending if found else "")
            found.append(_service(name, service_type, map(_service_port, ports), pod, context))
    if pod.network.urls:
        numbers = dict.fromkeys(url.container for url in pod.network.urls)
        ports_of_urls = (_service_port(Port(container=number)) for number in numbers)
        found.append(_service(context.object_name(_URLS), "ClusterIP", ports_of_urls, pod, context))
    return found


def _service(name: str, service_type: str, ports: Iterable[Manifest], pod: ValidPod, context: Context) -> Manifest:
    mark = context.mark()
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(context, name),
        "spec": {
            "type": service_type,
            # A pod is ready when all of its containers are: without TensorBoard the main one is reached all the same.
            **({"publishNotReadyAddresses": True} if pod.tensorboard is not None else {}),
            "selector": {label: mark[label] for label in (names.WORKLOAD_NAME_LABEL, names.WORKLOAD_KIND_LABEL)},
            "ports": list(ports),
        },
    }


def _service_port(port: Port) -> Manifest:
    kind = "" if port.protocol == "TCP" else f"-{port.protocol.lower()}"
    on_nodes = port.service_type == "NodePort" and port.external is not None
    return {
        "name": f"{port.of_service}{kind}-port",
        "protocol": port.protocol,
        "port": port.of_service,
        "targetPort": port.container,
        **({"nodePort": port.external} if on_nodes else {}),
    }


def _ingresses(pod: ValidPod, context: Context) -> list[Manifest]:
    """An Ingress for each set of users, as its annotations hold for all of its paths."""
    by_users: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for path, url in paths(pod.network.urls, context):
        by_users.setdefault(url.users, []).append((path, url.container))
    return [
        _ingress(context.object_name(f"{_URLS}-{at}" if at else ""), users, ports, context)
        for at, (users, ports) in enumerate(by_users.items())
    ]


def _ingress(name: str, users: Collection[str], ports: Iterable[tuple[str, int]], context: Context) -> Manifest:
    assert context.domain is not None, "submission refuses addresses in a cluster without a domain"
    service = context.object_name(_URLS)
    backends = [
        {
            "path": path,
            "pathType": "Prefix",
            "backend": {"service": {"name": service, "port": {"number": number}}},
        }
        for path, number in ports
    ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            **_metadata(context, name),
            **({"annotations": _for_users(users, context)} if users else {}),
        },
        "spec": {
            **({"ingressClassName": context.ingress_class} if context.ingress_class is not None else {}),
            "tls": [{"hosts": [context.domain]}],
            "rules": [{"host": context.domain, "http": {"paths": backends}}],
        },
    }


def _for_users(users: Iterable[str], context: Context) -> dict[str, str]:
    """The annotations by which the ingress controller lets nobody else pass."""
    check = context.user_check
    assert check is not None, "submission refuses users in a cluster where nobody checks them"
    names_in_url = ",".join(quote(user, safe="@") for user in users)
    return {
        f"{check.prefix}/auth-url": check.url.replace(USERS_PLACE, names_in_url),
        **({f"{check.prefix}/auth-signin": check.signin} if check.signin is not None else {}),
    }
