"""From lists of a submission's spec to the items of parameters, each under a label of its own. Pure.

Labels only tell items apart (crd-contract.md): an entry's name where it has one, else its place in the list. Variables,
labels and annotations are known by their keys; one that is excluded is `deleted`, as a policy's or template's is so.
"""

from collections.abc import Sequence
from typing import Any

from aliquot.contracts.administrator_api.submissions.parts import (
    ExposedUrl,
    ExtendedResource,
    Mark,
    Port,
    Toleration,
    Variable,
)
from aliquot.contracts.administrator_api.submissions.storage import S3, Claim, ConfigMapVolume, Git, HostPath, Nfs
from aliquot.errors import UserError

Value = dict[str, Any]


def variable(field: str, given: Variable) -> Value:
    """A variable's value, or where it is.

    Raises:
        UserError: it has both, or neither.
    """
    if given.exclude:
        return {"deleted": True}
    if (given.value is None) == (given.secret is None):
        raise UserError(field, given.name, "a variable with either a value or a secret")
    if given.secret is not None:
        return {"value": f"SECRET:{given.secret.name},{given.secret.key}"}
    return {"value": given.value}


def mark(given: Mark) -> Value:
    """A label's or annotation's value."""
    return {"deleted": True} if given.exclude else {"value": given.value or ""}


def keyed(field: str, entries: Sequence[Variable] | Sequence[Mark]) -> Value:
    """Items that are known by their keys.

    Raises:
        UserError: two have the same.
    """
    items: dict[str, Value] = {}
    for number, each in enumerate(entries):
        at = f"{field}.{number}"
        if each.name in items:
            raise UserError(f"{at}.name", each.name, "a name that no other entry has")
        items[each.name] = variable(at, each) if isinstance(each, Variable) else mark(each)
    return {"items": items}


def labelled(entries: Sequence[tuple[str | None, Value]]) -> Value:
    """Items under the names of entries, or their places."""
    names = [name for name, _ in entries if name]
    unique = len(set(names)) == len(names)
    return {
        "items": {
            (name if name and unique else f"item-{number}"): {"value": _without_none(value)}
            for number, (name, value) in enumerate(entries)
        }
    }


def toleration(given: Toleration) -> tuple[str | None, Value]:
    """A taint that is borne."""
    value: Value = {"tolerationKey": given.key, "operator": given.operator, "tolerationValue": given.value}
    effect = None if given.effect == "Any" else given.effect
    return given.name, {**value, "effect": effect, "seconds": given.seconds}


def resource(given: ExtendedResource) -> tuple[str | None, Value]:
    """A device other than a GPU."""
    return None, {"name": given.resource, "quantity": given.quantity}


def port(given: Port) -> tuple[str | None, Value]:
    """A port."""
    return given.name, {"container": given.container, "external": given.external, "serviceType": given.service_type}


def url(given: ExposedUrl) -> tuple[str | None, Value]:
    """An address outside the cluster."""
    users = ",".join(given.authorized_users) if given.authorized_users else None
    custom = True if given.url else None
    value: Value = {"containerPort": given.container, "url": given.url, "customUrl": custom}
    return given.name, {**value, "authorizedUsers": users}


def claim(given: Claim) -> tuple[str | None, Value]:
    """A PersistentVolumeClaim; what is said of a new one does not matter where it is there already."""
    value: Value = {"path": given.path, "claimName": given.claim_name, "readOnly": given.read_only}
    if given.existing_pvc:
        return given.name, {**value, "existingPvc": True}
    info = given.claim_info
    modes = None if info is None else info.access_modes
    return given.name, {
        **value,
        "ephemeral": given.ephemeral,
        "size": None if info is None else info.size,
        "storageClass": None if info is None else info.storage_class,
        "volumeMode": None if info is None else info.volume_mode,
        "readWriteOnce": None if modes is None else modes.read_write_once,
        "readOnlyMany": None if modes is None else modes.read_only_many,
        "readWriteMany": None if modes is None else modes.read_write_many,
    }


def repository(given: Git) -> tuple[str | None, Value]:
    """A git repository."""
    value: Value = {"repository": given.repository, "branch": given.branch, "rev": given.revision}
    return given.name, {**value, "directory": given.path, "secretName": given.password_secret}


def config_map(given: ConfigMapVolume) -> tuple[str | None, Value]:
    """A ConfigMap."""
    return given.name, {"name": given.config_map, "mountPath": given.mount_path}


def host_path(given: HostPath) -> tuple[str | None, Value]:
    """A directory of the node."""
    return given.name, {"sourcePath": given.path, "targetPath": given.mount_path, "readOnly": given.read_only}


def nfs(given: Nfs) -> tuple[str | None, Value]:
    """A directory of an NFS server."""
    value: Value = {"nfsServer": given.server, "sourcePath": given.path}
    return given.name, {**value, "targetPath": given.mount_path, "readOnly": given.read_only}


def bucket(given: S3) -> tuple[str | None, Value]:
    """A bucket."""
    value: Value = {"bucket": given.bucket, "path": given.path, "url": given.url}
    return given.name, {**value, "secretName": given.access_key_secret}


def _without_none(value: Value) -> Value:
    return {member: each for member, each in value.items() if each is not None}
