"""Images of containers without Docker, as archives that containerd imports.

Both are made of a static busybox. Nothing is ever pulled: pods say `imagePullPolicy: Never`, as for a missing image a
public registry would be asked otherwise.
"""

import hashlib
import io
import platform
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

PAUSE: Final = "localhost/aliquot-lab/pause:1"
BUSYBOX: Final = "localhost/aliquot-lab/busybox:1"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
# A signal ends it at once, and it waits for the children that it is given.
_PAUSE_SCRIPT: Final = b"#!/bin/sh\ntrap exit TERM INT\nwhile :; do sleep 3600 & wait $!; done\n"


@dataclass(frozen=True)
class Image:
    """An image.

    Attributes:
        tag: Its name.
        layers: Tar files, the lowest first. Images that share layers share them on a node, too.
        entrypoint: What runs in its containers unless they say otherwise.
        environment: Of its containers.
        user: Who they run as, unless they say otherwise; empty is root.
    """

    tag: str
    layers: Sequence[Path]
    entrypoint: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str = ""


def write(archive: Path, images: Iterable[Image]) -> Path:
    """Write an archive with some images and return its path."""
    written: set[str] = set()
    manifest: list[dict[str, object]] = []
    with tarfile.open(archive, "w") as tar:
        for image in images:
            digests = [_digest(layer) for layer in image.layers]
            for layer, digest in zip(image.layers, digests, strict=True):
                if digest not in written:
                    tar.add(layer, arcname=f"{digest}/layer.tar")
                    written.add(digest)
            configuration = _configuration(image, digests)
            name = f"{hashlib.sha256(configuration).hexdigest()}.json"
            put(tar, name, configuration)
            layers = [f"{digest}/layer.tar" for digest in digests]
            manifest.append({"Config": name, "RepoTags": [image.tag], "Layers": layers})
        put(tar, "manifest.json", orjson.dumps(manifest))
    return archive


def basic(archive: Path, busybox: Path) -> Path:
    """Write an archive with the images `PAUSE` and `BUSYBOX` and return its path.

    Args:
        archive: Where.
        busybox: The program, linked statically.
    """
    layer = busybox_layer(archive.with_suffix(".layer"), busybox)
    path = {"PATH": "/bin"}
    made = write(archive, [Image(PAUSE, [layer], ["/pause"], path), Image(BUSYBOX, [layer], (), path)])
    layer.unlink()
    return made


def busybox_layer(layer: Path, busybox: Path) -> Path:
    """Write a layer with busybox as everything that it can be, and return its path."""
    applets = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, check=True).stdout.split()
    with tarfile.open(layer, "w") as tar:
        for folder in ("bin", "etc", "root", "var"):
            put_folder(tar, folder)
        put_folder(tar, "tmp", mode=0o1777)
        put(tar, "bin/busybox", busybox.read_bytes(), mode=0o755)
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        put(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n")
        put(tar, "etc/group", b"root:x:0:\nnonroot:x:65532:\n")
        put(tar, "pause", _PAUSE_SCRIPT, mode=0o755)
    return layer


def put_folder(tar: tarfile.TarFile, name: str, *, mode: int = 0o755) -> None:
    """Put a folder into a layer."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)


def put(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    """Put a file into a layer."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _configuration(image: Image, digests: Sequence[str]) -> bytes:
    machine = platform.machine()
    return orjson.dumps(
        {
            "architecture": _ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            "config": {
                "Entrypoint": list(image.entrypoint) or None,
                "User": image.user,
                "Env": [f"{name}={value}" for name, value in image.environment.items()],
                "WorkingDir": "/",
            },
            "history": [{"created_by": "aliquot-lab"} for _ in digests],
        }
    )


def _digest(layer: Path) -> str:
    with layer.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
