"""What is mounted, and what is fetched before the start: cluster-api.md 1.5 and 7.2."""

import re
from typing import Final

from aliquot.cli.submission.flags import StorageFlags
from aliquot.cli.submission.items import Members, Value, labelled
from aliquot.core.quantities import InvalidQuantityError, parse_quantity
from aliquot.core.submission.problems import Problems

_MODES: Final = {
    "accessmode-rwo": "readWriteOnce",
    "accessmode-rom": "readOnlyMany",
    "accessmode-rwm": "readWriteMany",
}
_READ_ONLY: Final = {"ro": "readOnly", "readonly": "readOnly"}
EXISTING_CLAIM: Final = Members(
    {"claimname": "claimName", "path": "path"}, ("claimname", "path"), "claimname=NAME,path=PATH[,ro]", _READ_ONLY
)
NEW_CLAIM: Final = Members(
    {"claimname": "claimName", "storageclass": "storageClass", "size": "size", "path": "path"},
    ("path", "size"),
    "path=PATH,size=SIZE[,claimname=NAME][,storageclass=CLASS][,accessmode-rwo|accessmode-rom|accessmode-rwm][,ro]"
    "[,ephemeral]",
    {**_READ_ONLY, **_MODES, "ephemeral": "ephemeral"},
)
CONFIG_MAP: Final = Members({"name": "name", "path": "mountPath"}, ("name", "path"), "name=NAME,path=PATH")
REPOSITORY: Final = Members(
    {
        "source": "repository",
        "branch": "branch",
        "rev": "rev",
        "username": "username",
        "password": "password",
        "target": "directory",
    },
    ("source",),
    "source=URL[,branch=BRANCH][,rev=REVISION][,username=USER][,password=PASSWORD][,target=PATH]",
)
BUCKET: Final = Members(
    {"bucket": "bucket", "key": "key", "secret": "secret", "url": "url", "target": "path"},
    ("bucket", "key", "secret", "target"),
    "bucket=BUCKET,key=KEY,secret=SECRET,target=PATH[,url=URL]",
)
VOLUME_FORM: Final = "SOURCE:TARGET[:ro|rw][:NFS-HOST], such as /raid/data:/data:ro"
OLD_CLAIM_FORM: Final = "[CLASS]:SIZE:PATH[:ro], or NAME:PATH[:ro]"


def storage(flags: StorageFlags, problems: Problems) -> dict[str, object]:
    """Return what is mounted, as parameters by outside name."""
    claims = [
        *(_claim("--pvc-exists", text, EXISTING_CLAIM, problems, existing=True) for text in flags.pvc_exists),
        *(_claim("--pvc-new", text, NEW_CLAIM, problems, existing=False) for text in flags.pvc_new),
        *(_old_claim(text, problems) for text in flags.pvc),
    ]
    many = {
        "volumes": labelled("volume", (_volume(text, flags.nfs_server, problems) for text in flags.volume)),
        "pvcs": labelled("pvc", claims),
        "configMapVolumes": labelled(
            "config-map", (CONFIG_MAP.read("--configmap-volume", text, problems) for text in flags.configmap_volume)
        ),
        "gitSync": labelled("git-sync", (REPOSITORY.read("--git-sync", text, problems) for text in flags.git_sync)),
        "s3": labelled("s3", (BUCKET.read("--s3", text, problems) for text in flags.s3)),
    }
    found: dict[str, object] = {name: {"items": items} for name, items in many.items() if items}
    if flags.mount_propagation:
        found["mountPropagation"] = {"value": True}
    return found


def _claim(flag: str, text: str, members: Members, problems: Problems, *, existing: bool) -> Value | None:
    found = members.read(flag, text, problems)
    return None if found is None else {**found, "existingPvc": existing}


def _volume(text: str, nfs_server: str | None, problems: Problems) -> Value | None:
    source, target, mode, server, *rest = [*text.split(":"), "", "", ""]
    if (rest and any(rest)) or not source or not target or mode not in ("", "ro", "rw"):
        problems.add("--volume", text, VOLUME_FORM)
        return None
    found: Value = {"sourcePath": source, "targetPath": target}
    if mode:
        found["readOnly"] = mode == "ro"
    if host := server or nfs_server:
        found["nfsServer"] = host
    return found


def _old_claim(text: str, problems: Problems) -> Value | None:
    """Read the deprecated form: two parts are a claim that exists, four a new one; of three, the parts say which."""
    parts = text.split(":")
    mode = parts.pop() if len(parts) > 2 and parts[-1] in ("ro", "rw") else ""
    read_only: Value = {"readOnly": mode == "ro"} if mode else {}
    if len(parts) == 2 and all(parts):
        return {"claimName": parts[0], "path": parts[1], "existingPvc": True, **read_only}
    if len(parts) == 3 and parts[2] and _is_size(parts[1]):
        storage_class: Value = {"storageClass": parts[0]} if parts[0] else {}
        return {"size": parts[1], "path": parts[2], "existingPvc": False, **storage_class, **read_only}
    problems.add("--pvc", text, OLD_CLAIM_FORM)
    return None


def _is_size(text: str) -> bool:
    try:
        return bool(re.match(r"[0-9]", text)) and parse_quantity(text) > 0
    except InvalidQuantityError:
        return False
