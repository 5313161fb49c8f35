"""What is mounted into a pod, and where in its container (cluster-api.md 1.5, 11)."""

from dataclasses import dataclass, field
from typing import Final

from aliquot import names
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.submission.pod_values import ValidPod
from aliquot.core.submission.read_pod import HOME, SHM
from aliquot.core.submission.volume_values import Claim, Directory

__all__ = ["HOME", "Volumes", "claim_name", "volumes_of"]

_UID_PART: Final = 8
_PROPAGATION: Final = "HostToContainer"


@dataclass(slots=True)
class Volumes:
    """The volumes of a pod, and where they are in its main container.

    Attributes:
        volumes: of the pod.
        mounts: directories of the container.
        devices: block devices of the container.
    """

    volumes: list[Manifest] = field(default_factory=list[Manifest])
    mounts: list[Manifest] = field(default_factory=list[Manifest])
    devices: list[Manifest] = field(default_factory=list[Manifest])

    def mount(self, name: str, source: Manifest, path: str, *, read_only: bool = False) -> None:
        """Add a volume and the directory where it appears."""
        self.volumes.append({"name": name, **source})
        self.mounts.append({"name": name, "mountPath": path, **({"readOnly": True} if read_only else {})})


def volumes_of(pod: ValidPod, context: Context) -> Volumes:
    """List what is mounted; clones of repositories and copies of buckets are empty at first."""
    found = Volumes()
    for at, directory in enumerate(pod.storage.directories):
        name = f"{'host-path' if directory.server is None else 'nfs'}-volume-{at}"
        found.mount(name, _directory(directory), directory.path, read_only=directory.read_only)
    if pod.compute.large_shm:
        found.mount("dshm", {"emptyDir": {"medium": "Memory"}}, SHM)
    if pod.compute.gpus.mps:
        directory = {"path": names.MPS_PIPE_DIRECTORY, "type": "Directory"}
        found.mount("nvidia-mps", {"hostPath": directory}, names.MPS_PIPE_DIRECTORY)
    if pod.process.home:
        found.mount("user-data", {"emptyDir": {}}, HOME)
    for at, repository in enumerate(pod.sources.repositories):
        found.mount(code_volume(at), {"emptyDir": {}}, repository.path, read_only=repository.read_only)
    for at, bucket in enumerate(pod.sources.buckets):
        # What is written there would not come to the bucket.
        found.mount(bucket_volume(at), {"emptyDir": {}}, bucket.path, read_only=True)
    for at, claim in enumerate(pod.storage.claims):
        _claim(found, f"pvc-volume-{at}", claim, claim_name(pod, at, context))
    for at, files in enumerate(pod.storage.config_maps):
        found.mount(f"config-map-volume-{at}", {"configMap": {"name": files.name}}, files.path)
    if pod.storage.propagation:
        found.mounts = [{**mount, "mountPropagation": _PROPAGATION} for mount in found.mounts]
    return found


def claim_name(pod: ValidPod, at: int, context: Context) -> str:
    """Return the name of a PersistentVolumeClaim, one for all pods of the workload.

    Job names that are generated come again, and the next workload must not find the data of this one.
    """
    once = f"-{context.owner.uid[:_UID_PART]}" if pod.identity.job_name is None else ""
    return pod.storage.claims[at].name or context.object_name(f"-{at}{once}", "pvc-")


def code_volume(at: int) -> str:
    """Return the name of the volume for a repository's files."""
    return f"code-sync-{at}" if at else "code-sync"


def bucket_volume(at: int) -> str:
    """Return the name of the volume for a bucket's objects."""
    return f"s3-volume-{at}"


def _directory(directory: Directory) -> Manifest:
    if directory.server is None:
        return {"hostPath": {"path": directory.source}}
    # A volume that is read-only for the pod keeps its server's locks free, too.
    return {
        "nfs": {
            "server": directory.server,
            "path": directory.source,
            **({"readOnly": True} if directory.read_only else {}),
        }
    }


def _claim(found: Volumes, name: str, claim: Claim, called: str) -> None:
    source: Manifest = {"claimName": called, **({"readOnly": True} if claim.read_only else {})}
    if claim.block:
        found.volumes.append({"name": name, "persistentVolumeClaim": source})
        found.devices.append({"name": name, "devicePath": claim.path})
    else:
        found.mount(name, {"persistentVolumeClaim": source}, claim.path, read_only=claim.read_only)
