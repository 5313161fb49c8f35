"""What is mounted into a pod's container: storage, and data from outside the cluster. The values cannot be wrong."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClaim:
    """A PersistentVolumeClaim that is made where it does not exist.

    Attributes:
        size_bytes: how much it asks for.
        storage_class: None: the cluster's default.
        access_modes: as Kubernetes names them, at least one.
        ephemeral: whether it goes with the workload.
    """

    size_bytes: int
    storage_class: str | None = None
    access_modes: tuple[str, ...] = ("ReadWriteOnce",)
    ephemeral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim in the container.

    Attributes:
        name: of the claim; None: a new one, named for the workload.
        path: directory in the container; of a block device, its file.
        new: how to make it; None: it must be there.
        block: whether it is a block device rather than a directory.
    """

    name: str | None
    path: str
    read_only: bool = False
    new: NewClaim | None = None
    block: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory of the node, or of an NFS server, in the container.

    Attributes:
        server: host name or address of the server; None: the directory is the node's.
    """

    source: str
    path: str
    server: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """A ConfigMap whose keys are files in a directory of the container."""

    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What is mounted into the container, each in the order of the labels.

    Attributes:
        propagation: whether what the node mounts later appears, too.
    """

    claims: tuple[Claim, ...] = ()
    directories: tuple[Directory, ...] = ()
    config_maps: tuple[ConfigFiles, ...] = ()
    propagation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A git repository to clone before the container starts.

    Attributes:
        reference: branch, tag or commit.
        secret: a Secret with user name and password; None: `username` and `password` are they.
        image: that does the cloning.
    """

    address: str
    reference: str
    path: str
    image: str
    username: str | None = None
    password: str | None = None
    secret: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """An S3 bucket whose objects are copied before the container starts.

    Attributes:
        endpoint: of the S3 service; None: Amazon's own.
        secret: a Secret with both keys; None: `access_key` and `secret_key` are they.
        image: that does the copying.
    """

    bucket: str
    path: str
    image: str
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Data from outside the cluster, each in the order of the labels."""

    repositories: tuple[Repository, ...] = ()
    buckets: tuple[Bucket, ...] = ()


NO_STORAGE: Final = Storage()
NO_SOURCES: Final = Sources()
