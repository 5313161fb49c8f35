"""What is mounted into containers (control-plane-api.md 1.4.11); members of entries: cluster-api.md 1.5, REST."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Body, Flag
from aliquot.contracts.administrator_api.submissions.parts import (
    MOST_ITEMS,
    NotCarriedOut,
    Path,
    Quantity,
    ShortText,
)


class AccessModes(Body):
    """Who may mount a claim at a time."""

    read_write_once: Flag | None = None
    """One node, for reading and writing; the default."""
    read_only_many: Flag | None = None
    """Many nodes, for reading."""
    read_write_many: Flag | None = None
    """Many nodes, for reading and writing."""


class ClaimInfo(Body):
    """What a claim is like that is to be made."""

    size: Quantity | None = None
    """How much it asks for."""
    storage_class: ShortText | None = None
    """Its storage class; left out: the cluster's default."""
    access_modes: AccessModes | None = None
    """Who may mount it."""
    volume_mode: Literal["Filesystem", "Block"] | None = None
    """What it is; left out: `Filesystem`."""


class _Named(Body):
    name: ShortText | None = None
    """What it is called here."""


class Claim(_Named):
    """A PersistentVolumeClaim."""

    path: Path
    """Where it appears."""
    existing_pvc: Flag = False
    """Whether it must be there already."""
    claim_name: ShortText | None = None
    """Its name; left out, for a new one: one is made."""
    read_only: Flag | None = None
    """Whether it cannot be written to."""
    ephemeral: Flag | None = None
    """Whether a new one goes when the workload stops."""
    claim_info: ClaimInfo | None = None
    """What a new one is like."""
    data_sharing: NotCarriedOut = None


class Git(_Named):
    """A git repository that is cloned before the container starts."""

    repository: Path
    """Its address."""
    branch: ShortText | None = None
    """Branch to check out."""
    revision: ShortText | None = None
    """Tag or commit to check out instead."""
    path: Path | None = None
    """Where its files appear."""
    password_secret: ShortText | None = None
    """Secret in the project's namespace with user name and password."""
    secret_key_of_user: Literal["User"] | None = None
    """Key of the user name in it."""
    secret_key_of_password: Literal["Password"] | None = None
    """Key of the password in it."""


class ConfigMapVolume(_Named):
    """A ConfigMap whose keys appear as files."""

    config_map: ShortText
    """Its name."""
    mount_path: Path
    """Where they appear."""


class HostPath(_Named):
    """A directory of the node."""

    path: Path
    """It."""
    mount_path: Path
    """Where it appears."""
    read_only: Flag = True
    """Whether it cannot be written to."""
    mount_propagation: NotCarriedOut = None


class Nfs(_Named):
    """A directory of an NFS server."""

    server: ShortText
    """The server."""
    path: Path
    """What it exports."""
    mount_path: Path
    """Where it appears."""
    read_only: Flag | None = None
    """Whether it cannot be written to."""


class S3(_Named):
    """A bucket whose objects appear as files."""

    bucket: ShortText
    """Its name."""
    path: Path
    """Where they appear."""
    url: Path | None = None
    """Address of the service."""
    access_key_secret: ShortText | None = None
    """Secret in the project's namespace with the keys."""
    secret_key_of_access_key_id: Literal["AccessKeyId"] | None = None
    """Key of the id in it."""
    secret_key_of_secret_key: Literal["SecretKey"] | None = None
    """Key of the secret in it."""


class Storage(Body):
    """What is mounted into the container."""

    pvc: Annotated[list[Claim], Field(max_length=MOST_ITEMS)] | None = None
    """PersistentVolumeClaims."""
    git: Annotated[list[Git], Field(max_length=MOST_ITEMS)] | None = None
    """Git repositories."""
    config_map_volume: Annotated[list[ConfigMapVolume], Field(max_length=MOST_ITEMS)] | None = None
    """ConfigMaps."""
    host_path: Annotated[list[HostPath], Field(max_length=MOST_ITEMS)] | None = None
    """Directories of nodes."""
    nfs: Annotated[list[Nfs], Field(max_length=MOST_ITEMS)] | None = None
    """Directories of NFS servers."""
    s3: Annotated[list[S3], Field(max_length=MOST_ITEMS)] | None = None
    """Buckets."""
    secret_volume: NotCarriedOut = None
    data_volume: NotCarriedOut = None
