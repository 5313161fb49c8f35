"""What is mounted into the container: claims, directories of nodes and NFS servers, ConfigMaps (cluster-api.md 1.5)."""

from typing import Final

from aliquot.contracts.kinds.parameters.storage import NfsVolume, PersistentVolume, StorageParameters, Volume
from aliquot.contracts.kinds.wrappers import given
from aliquot.core.quantities import InvalidQuantityError, parse_bytes, parse_quantity
from aliquot.core.submission.keys import is_host_name, is_object_name
from aliquot.core.submission.paths import MountPaths, check_source, is_path, normal
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.volume_values import Claim, ConfigFiles, Directory, NewClaim, Storage

MOST_CLAIM_BYTES: Final = 2**60
CLAIM_ALLOWED: Final = "the name of a PersistentVolumeClaim"
SIZE_ALLOWED: Final = "how much storage the new claim asks for, from 1 byte to 1Ei, such as 10Gi"
MODES: Final = ("Filesystem", "Block")
SERVER_ALLOWED: Final = "the name or address of an NFS server, such as nfs.example.com"
EXPORT_ALLOWED: Final = "a directory that the server exports, as an absolute path without '.' and '..'"


def read_storage(spec: StorageParameters, paths: MountPaths, problems: Problems) -> Storage:
    """Read what is mounted; `paths` knows what else is."""
    directories = [
        *_directories("volumes", given(spec.volumes.items), paths, problems),
        *_directories("nfs", given(spec.nfs.items), paths, problems),
    ]
    claims = [
        _claim(f"spec.pvcs.items[{label}].value", item, paths, problems)
        for label, item in sorted(given(spec.pvcs.items).items())
    ]
    return Storage(
        claims=tuple(claims),
        directories=tuple(directories),
        config_maps=tuple(_config_maps(spec, paths, problems)),
        propagation=bool(spec.mount_propagation.value),
    )


def _claim(field: str, item: PersistentVolume, paths: MountPaths, problems: Problems) -> Claim:
    path = paths.take(f"{field}.path", item.path)
    name, new = item.claim_name or None, not item.existing_pvc
    if name is None and not new:
        problems.add(f"{field}.claimName", None, f"{CLAIM_ALLOWED} that exists, because existingPvc is true")
    elif name is not None and not is_object_name(name):
        problems.add(f"{field}.claimName", name, CLAIM_ALLOWED)
    if item.volume_mode is not None and item.volume_mode not in MODES:
        problems.add(f"{field}.volumeMode", item.volume_mode, "Filesystem or Block")
    return Claim(
        name=name,
        path=path,
        read_only=bool(item.read_only),
        new=_new_claim(field, item, problems) if new else None,
        block=item.volume_mode == "Block",
    )


def _new_claim(field: str, item: PersistentVolume, problems: Problems) -> NewClaim:
    if item.storage_class and not is_object_name(item.storage_class):
        problems.add(f"{field}.storageClass", item.storage_class, "the name of a StorageClass")
    wanted = {
        "ReadWriteOnce": item.read_write_once,
        "ReadOnlyMany": item.read_only_many,
        "ReadWriteMany": item.read_write_many,
    }
    return NewClaim(
        size_bytes=_size(f"{field}.size", item.size, problems),
        storage_class=item.storage_class or None,
        access_modes=tuple(mode for mode, yes in wanted.items() if yes) or ("ReadWriteOnce",),
        ephemeral=bool(item.ephemeral),
    )


def _size(field: str, written: str | None, problems: Problems) -> int:
    try:
        if written is not None and 0 < parse_quantity(written) <= MOST_CLAIM_BYTES:
            return parse_bytes(written)
    except InvalidQuantityError:
        pass
    problems.add(field, written, SIZE_ALLOWED)
    return 0


def _directories(
    parameter: str, items: dict[str, Volume] | dict[str, NfsVolume], paths: MountPaths, problems: Problems
) -> list[Directory]:
    found: list[Directory] = []
    for label, item in sorted(items.items()):
        field = f"spec.{parameter}.items[{label}].value"
        path = paths.take(f"{field}.targetPath", item.target_path)
        server = item.nfs_server or None
        if server is None and isinstance(item, Volume):
            source = check_source(f"{field}.sourcePath", item.source_path, problems)
        else:
            source = _exported(field, server, item.source_path, problems)
        found.append(Directory(source=source, path=path, server=server, read_only=bool(item.read_only)))
    return found


def _exported(field: str, server: str | None, source: str | None, problems: Problems) -> str:
    if server is None or not is_host_name(server):
        problems.add(f"{field}.nfsServer", server, SERVER_ALLOWED)
    if source is not None and is_path(source):
        return normal(source)
    problems.add(f"{field}.sourcePath", source, EXPORT_ALLOWED)
    return ""


def _config_maps(spec: StorageParameters, paths: MountPaths, problems: Problems) -> list[ConfigFiles]:
    found: list[ConfigFiles] = []
    for label, item in sorted(given(spec.config_map_volumes.items).items()):
        field = f"spec.configMapVolumes.items[{label}].value"
        if not is_object_name(item.name):
            problems.add(f"{field}.name", item.name, "the name of a ConfigMap of the project's namespace")
        found.append(ConfigFiles(item.name, paths.take(f"{field}.mountPath", item.mount_path)))
    return found
