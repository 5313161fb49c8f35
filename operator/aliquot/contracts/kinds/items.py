"""What one item of each itemised parameter says, and the rules a policy may set for its members.

Members: crd-contract.md, Parameters and Rules; meaning: cluster-api.md 1.5.
"""

from typing import Annotated, Literal

from aliquot.contracts.kinds.shapes import Check, Shape, text, whole
from aliquot.contracts.kinds.wrappers import BoolRules, IntRules, Items, StringRules

PATH = text(4096)
NAME = text(253)
PORT = whole(1, 65535)


class Capability(Shape):
    """A Linux capability."""

    capability: Annotated[str, text(64)]
    """Name of the capability to add, such as NET_ADMIN."""


class CapabilityRules(Shape):
    """Rules about capabilities."""

    capability: StringRules
    """Which capabilities may be added."""


class ConfigMapVolume(Shape):
    """A ConfigMap whose keys appear as files."""

    name: Annotated[str, NAME]
    """Name of a ConfigMap in the project's namespace."""
    mount_path: Annotated[str, PATH]
    """Directory in the container where the files appear."""


class ConfigMapVolumeRules(Shape):
    """Rules about ConfigMap volumes."""

    name: StringRules | None = None
    """Which ConfigMaps may be mounted."""
    mount_path: StringRules | None = None
    """Where they may be mounted."""


class ExposedUrl(Shape):
    """An address outside the cluster that leads to a port of the container."""

    container_port: Annotated[int, PORT]
    """Port that the container listens on."""
    url: Annotated[str, text(2048)] | None = None
    """The address; left out, one is made from the cluster's domain, the project and the workload's name."""
    custom_url: bool | None = None
    """Whether `url` was chosen by the user rather than made."""
    authorized_users: Annotated[str, text(8192)] | None = None
    """Users who may open the address, separated by commas; left out, everybody who can reach it."""


class ExposedUrlRules(Shape):
    """Rules about exposed addresses."""

    container_port: IntRules | None = None
    """Which ports may be exposed."""
    url: StringRules | None = None
    """Which addresses may be chosen."""
    custom_url: BoolRules | None = None
    """Whether users may choose addresses."""
    authorized_users: StringRules | None = None
    """Whom the address may be opened to."""


class ExtendedResource(Shape):
    """A device other than a GPU, such as a fast network card."""

    name: Annotated[str, NAME]
    """Name of the resource as nodes advertise it, such as rdma/hca."""
    quantity: Annotated[str, text(32)]
    """How many of it each pod gets; a whole number in quotes."""


class ExtendedResourceRules(Shape):
    """Rules about further devices."""

    name: StringRules
    """Which resources may be asked for."""
    quantity: StringRules
    """How many may be asked for."""


class GitRepository(Shape):
    """A git repository that is cloned before the container starts."""

    repository: Annotated[str, text(2048)]
    """Address to clone from."""
    branch: Annotated[str, text(255)] | None = None
    """Branch to check out; left out, master."""
    rev: Annotated[str, text(255)] | None = None
    """Tag or commit to check out; wins over the branch."""
    directory: Annotated[str, PATH] | None = None
    """Directory in the container for the files; left out, /code."""
    username: Annotated[str, text(255)] | None = None
    """User name for a repository that asks for one."""
    password: Annotated[str, text(4096)] | None = None
    """Password or token in clear text; `secretName` is the better way."""
    secret_name: Annotated[str, NAME] | None = None
    """Secret in the project's namespace that holds user name and password."""
    image: Annotated[str, text(1024)] | None = None
    """Image that does the cloning, if not the default one."""
    read_only: bool | None = None
    """Whether the container may not write to the directory."""


class GitRepositoryRules(Shape):
    """Rules about git repositories."""

    repository: StringRules
    """Which repositories may be cloned."""
    branch: StringRules | None = None
    """Which branches may be checked out."""
    revision: StringRules | None = None
    """Which tags or commits may be checked out."""
    directory: StringRules | None = None
    """Where the files may go."""
    username: StringRules | None = None
    """Which user names may be given."""
    password: StringRules | None = None
    """Which passwords may be given."""
    secret_name: StringRules | None = None
    """Which secrets may be used."""
    image: StringRules | None = None
    """Which images may do the cloning."""
    read_only: BoolRules | None = None
    """Whether the files may or must be read-only."""


class NfsVolume(Shape):
    """A directory of an NFS server."""

    nfs_server: Annotated[str, NAME]
    """Host name or address of the server."""
    source_path: Annotated[str, PATH] | None = None
    """Directory that the server exports."""
    target_path: Annotated[str, PATH]
    """Directory in the container where it appears."""
    read_only: bool | None = None
    """Whether the container may not write to it."""


class Volume(Shape):
    """A directory of the node, or of an NFS server."""

    target_path: Annotated[str, PATH]
    """Directory in the container where it appears."""
    source_path: Annotated[str, PATH] | None = None
    """Directory on the node, or that the server exports."""
    nfs_server: Annotated[str, NAME] | None = None
    """Host name or address of an NFS server; left out, the directory is the node's own."""
    read_only: bool | None = None
    """Whether the container may not write to it."""


class VolumeRules(Shape):
    """Rules about directories of nodes and NFS servers."""

    nfs_server: StringRules | None = None
    """Which servers may be used; required, directories of the node are refused."""
    source_path: StringRules | None = None
    """Which directories may be mounted."""
    target_path: StringRules | None = None
    """Where they may be mounted."""
    read_only: BoolRules | None = None
    """Whether they may or must be read-only."""


class Port(Shape):
    """A port of the container that others can reach."""

    container: Annotated[int, PORT]
    """Port that the container listens on."""
    external: Annotated[int, PORT] | None = None
    """Port on the outside; left out, one is chosen."""
    auto_generate: bool | None = None
    """Whether the port on the outside is chosen for you even if `external` is given."""
    protocol: Annotated[str, text(8)] | None = None
    """TCP, UDP or SCTP; left out, TCP."""
    service_type: Annotated[str, text(32)] | None = None
    """How the port is exposed: LoadBalancer, NodePort or ClusterIP; left out, as the workload's serviceType says."""


class PortRules(Shape):
    """Rules about ports."""

    container: IntRules | None = None
    """Which ports of the container may be exposed."""
    external: IntRules | None = None
    """Which ports may be used on the outside."""
    auto_generate: BoolRules | None = None
    """Whether ports on the outside may or must be chosen by the system."""
    protocol: StringRules | None = None
    """Which protocols may be used."""
    service_type: StringRules | None = None
    """How ports may be exposed."""


class PersistentVolume(Shape):
    """A PersistentVolumeClaim, an existing one or one made for the workload."""

    path: Annotated[str, PATH]
    """Directory in the container where it appears."""
    claim_name: Annotated[str, NAME] | None = None
    """Name of the claim; left out for a new one, it is made from the workload's name."""
    existing_pvc: bool | None = None
    """Whether the claim must exist already; otherwise it is made if it does not, from the members below."""
    size: Annotated[str, text(32)] | None = None
    """How much storage a new claim asks for, such as 10Gi."""
    storage_class: Annotated[str, NAME] | None = None
    """Storage class of a new claim; left out, the cluster's default."""
    volume_mode: Annotated[str, text(32)] | None = None
    """Filesystem or Block, for a new claim; left out, Filesystem."""
    read_write_once: bool | None = None
    """Whether one node at a time mounts a new claim for reading and writing; the default."""
    read_only_many: bool | None = None
    """Whether many nodes mount a new claim for reading."""
    read_write_many: bool | None = None
    """Whether many nodes mount a new claim for reading and writing."""
    read_only: bool | None = None
    """Whether the container may not write to it."""
    ephemeral: bool | None = None
    """Whether a new claim goes, with its data, when the workload stops."""


class PersistentVolumeRules(Shape):
    """Rules about PersistentVolumeClaims."""

    claim_name: StringRules | None = None
    """Which claims may be used."""
    existing_pvc: BoolRules | None = None
    """Whether claims may or must exist already."""
    path: StringRules | None = None
    """Where claims may be mounted."""
    size: StringRules | None = None
    """How much storage new claims may ask for."""
    storage_class: StringRules | None = None
    """Which storage classes new claims may have."""
    read_only: BoolRules | None = None
    """Whether claims may or must be mounted read-only."""
    read_write_once: BoolRules | None = None
    """Whether new claims may or must be for one node at a time."""
    read_only_many: BoolRules | None = None
    """Whether new claims may or must be for many reading nodes."""
    read_write_many: BoolRules | None = None
    """Whether new claims may or must be for many writing nodes."""


class S3Bucket(Shape):
    """An S3 bucket whose objects appear as files."""

    bucket: Annotated[str, text(255)]
    """Name of the bucket."""
    path: Annotated[str, PATH]
    """Directory in the container where the objects appear."""
    url: Annotated[str, text(2048)] | None = None
    """Address of the S3 service; left out, Amazon's own."""
    key: Annotated[str, text(255)] | None = None
    """Access key in clear text; `secretName` is the better way."""
    secret: Annotated[str, text(4096)] | None = None
    """Secret key in clear text; `secretName` is the better way."""
    secret_name: Annotated[str, NAME] | None = None
    """Secret in the project's namespace that holds access key and secret key."""
    image: Annotated[str, text(1024)] | None = None
    """Image that does the mounting, if not the default one."""


class S3BucketRules(Shape):
    """Rules about S3 buckets."""

    bucket: StringRules
    """Which buckets may be used."""
    path: StringRules
    """Where they may be mounted."""
    url: StringRules
    """Which S3 services may be used."""
    key: StringRules
    """Which access keys may be given."""
    secret: StringRules
    """Which secret keys may be given."""
    secret_name: StringRules
    """Which secrets may be used."""
    image: StringRules | None = None
    """Which images may do the mounting."""


class Toleration(Shape):
    """A taint that the pods bear."""

    checks = (
        Check(
            rule="!has(self.seconds) || !has(self.effect) || self.effect == 'NoExecute'",
            message="seconds says how long a NoExecute taint is borne: leave it out for other effects",
            field=".seconds",
        ),
        Check(
            rule="self.operator != 'Exists' || !has(self.tolerationValue) || self.tolerationValue == ''",
            message="with operator Exists the taint's value does not matter: leave tolerationValue out",
            field=".tolerationValue",
        ),
    )

    toleration_key: Annotated[str, text(317)]
    """Key of the taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Equal: the taint's value must be `tolerationValue`. Exists: any value will do."""
    toleration_value: Annotated[str, text(63)] | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule"] | None = None
    """Effect of the taint; left out, all of them."""
    seconds: Annotated[int, whole(0)] | None = None
    """How long in seconds a NoExecute taint is borne; left out, for ever."""


class TolerationRules(Shape):
    """Rules about tolerations."""

    toleration_key: StringRules | None = None
    """Which keys may be tolerated."""
    operator: StringRules | None = None
    """Which operators may be used."""
    toleration_value: StringRules | None = None
    """Which values may be tolerated."""
    effect: StringRules | None = None
    """Which effects may be tolerated."""
    seconds: IntRules | None = None
    """How long, in seconds, taints may be borne."""


# Each parameter has a named type, so that its default is an instance of exactly that type.
Capabilities = Items[Capability, CapabilityRules]
ConfigMapVolumes = Items[ConfigMapVolume, ConfigMapVolumeRules]
ExposedUrls = Items[ExposedUrl, ExposedUrlRules]
ExtendedResources = Items[ExtendedResource, ExtendedResourceRules]
GitRepositories = Items[GitRepository, GitRepositoryRules]
NfsVolumes = Items[NfsVolume, VolumeRules]
Ports = Items[Port, PortRules]
PersistentVolumes = Items[PersistentVolume, PersistentVolumeRules]
S3Buckets = Items[S3Bucket, S3BucketRules]
Tolerations = Items[Toleration, TolerationRules]
Volumes = Items[Volume, VolumeRules]
