"""Volumes: storage of the cluster, of nodes and of servers (cluster-api.md 1.5)."""

from typing import Annotated

from aliquot.contracts.kinds.rules import BoolRules, StringRules
from aliquot.contracts.kinds.shapes import Shape, text
from aliquot.contracts.kinds.texts import FilePath, Name
from aliquot.contracts.kinds.wrappers import BoolValue, Items


class PersistentVolume(Shape):
    """A PersistentVolumeClaim, an existing one or one made for the workload."""

    path: FilePath
    """Directory in the container where it appears."""
    claim_name: Name | None = None
    """Name of the claim; left out for a new one, it is made from the workload's name."""
    existing_pvc: bool | None = None
    """Whether the claim must exist already; otherwise it is made if it does not, from the members below."""
    size: Annotated[str, text(32)] | None = None
    """How much storage a new claim asks for, such as 10Gi."""
    storage_class: Name | None = None
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


class Volume(Shape):
    """A directory of the node, or of an NFS server."""

    target_path: FilePath
    """Directory in the container where it appears."""
    source_path: FilePath | None = None
    """Directory on the node, or that the server exports."""
    nfs_server: Name | None = None
    """Host name or address of an NFS server; left out, the directory is the node's own."""
    read_only: bool | None = None
    """Whether the container may not write to it."""


class NfsVolume(Shape):
    """A directory of an NFS server."""

    nfs_server: Name
    """Host name or address of the server."""
    source_path: FilePath | None = None
    """Directory that the server exports."""
    target_path: FilePath
    """Directory in the container where it appears."""
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


class ConfigMapVolume(Shape):
    """A ConfigMap whose keys appear as files."""

    name: Name
    """Name of a ConfigMap in the project's namespace."""
    mount_path: FilePath
    """Directory in the container where the files appear."""


class ConfigMapVolumeRules(Shape):
    """Rules about ConfigMap volumes."""

    name: StringRules | None = None
    """Which ConfigMaps may be mounted."""
    mount_path: StringRules | None = None
    """Where they may be mounted."""


PersistentVolumes = Items[PersistentVolume, PersistentVolumeRules]
Volumes = Items[Volume, VolumeRules]
NfsVolumes = Items[NfsVolume, VolumeRules]
ConfigMapVolumes = Items[ConfigMapVolume, ConfigMapVolumeRules]


class StorageParameters(Shape):
    """What is mounted into the container."""

    config_map_volumes: ConfigMapVolumes = ConfigMapVolumes()
    """ConfigMaps to mount as directories of files."""
    mount_propagation: BoolValue = BoolValue()
    """Whether what is mounted on the node later appears in the container's volumes too."""
    nfs: NfsVolumes = NfsVolumes()
    """Directories of NFS servers to mount."""
    pvcs: PersistentVolumes = PersistentVolumes()
    """PersistentVolumeClaims to mount, existing or new."""
    volumes: Volumes = Volumes()
    """Directories of nodes or of NFS servers to mount."""
