"""Paths: in containers, each for one thing only, and on nodes, where some lead to what a pod must not have."""

from pathlib import PurePosixPath
from typing import Final

from aliquot.core.submission.problems import Problems

LONGEST_PATH: Final = 4096
PATH_ALLOWED: Final = "an absolute path without ':', '.' and '..', such as /data"
ROOT_FORBIDDEN: Final = "a directory below /, such as /data"
SOURCE_FORBIDDEN: Final = (
    "another directory: this one, or one in it, belongs to the node itself and leads to GPUs, secrets or data of others"
)
MOST_MOUNTS: Final = 100
"""Things that are mounted into one container: each is in the pod up to three times, and a pod has to be stored."""
MOUNTS_ALLOWED: Final = f"left out: a container has at most {MOST_MOUNTS} directories of its own"
_OF_THE_RUNTIME: Final = ("/proc", "/sys", "/dev")
RUNTIMES_FORBIDDEN: Final = f"another directory: {', '.join(_OF_THE_RUNTIME)} are made by the container runtime"
# What is mounted there asks NVIDIA's container runtime for the GPU of that name.
_DEVICE_REQUESTS: Final = ("/var/run/nvidia-container-devices", "/run/nvidia-container-devices")
DEVICES_FORBIDDEN: Final = "another directory: devices are given to a pod by the scheduler and its node alone"
_OF_THE_NODE: Final = tuple(
    map(
        PurePosixPath,
        (
            "/boot",
            "/dev",
            "/etc/cdi",
            "/etc/cni",
            "/etc/containerd",
            "/etc/crio",
            "/etc/docker",
            "/etc/kubernetes",
            "/etc/nvidia-container-runtime",
            "/etc/rancher",
            "/opt/cni",
            "/proc",
            "/run",
            "/sys",
            "/usr/lib/systemd",
            "/etc/systemd",
            "/var/lib/cni",
            "/var/lib/containerd",
            "/var/lib/containers",
            "/var/lib/docker",
            "/var/lib/etcd",
            "/var/lib/k0s",
            "/var/lib/kubelet",
            "/var/lib/rancher",
            "/var/log/pods",
            "/var/log/containers",
            "/var/run",
        ),
    )
)
"""Directories of nodes with sockets of kubelet, container runtime and device plugins, with devices, or with what other
pods were given."""


class MountPaths:
    """Where things appear in a container: each path is taken once.

    Args:
        problems: takes what is wrong.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._taken: dict[str, str] = {}

    def take(self, field: str, path: str) -> str:
        """Take a path for one thing; returns it without doubled slashes, and without one last.

        Args:
            field: that names it.
            path: as written.
        """
        clean = is_path(path) and ":" not in path
        plain = normal(path) if clean else path
        if not clean:
            self._problems.add(field, path, PATH_ALLOWED)
        elif plain == "/":
            self._problems.add(field, path, ROOT_FORBIDDEN)
        elif _within(PurePosixPath(plain), *map(PurePosixPath, _OF_THE_RUNTIME)) and plain != "/dev/shm":  # noqa: S108
            self._problems.add(field, path, RUNTIMES_FORBIDDEN)
        elif _within(PurePosixPath(plain), *map(PurePosixPath, _DEVICE_REQUESTS)):
            self._problems.add(field, path, DEVICES_FORBIDDEN)
        elif len(self._taken) == MOST_MOUNTS:
            self._problems.add(field, path, MOUNTS_ALLOWED)
        elif plain in self._taken:
            self._problems.add(field, path, f"another path: {self._taken[plain]} has this one")
        else:
            self._taken[plain] = field
        return plain


def check_source(field: str, path: str | None, problems: Problems) -> str:
    """Read a directory of the node: one that is not the node's own.

    A directory that contains one of the node's own leads to it as well. Symbolic links on the node are not seen.
    """
    if path is None or not is_path(path):
        problems.add(field, path, "an absolute path on the node without '.' and '..', such as /data")
        return ""
    plain = PurePosixPath(normal(path))
    if _within(plain, *_OF_THE_NODE) or any(_within(own, plain) for own in _OF_THE_NODE):
        problems.add(field, path, SOURCE_FORBIDDEN)
    return str(plain)


def is_path(path: str) -> bool:
    """Whether a text is an absolute path that says where it leads."""
    return (
        path.startswith("/")
        and "\0" not in path
        and len(path.encode(errors="replace")) <= LONGEST_PATH
        and not {".", ".."} & set(path.split("/"))
    )


def normal(path: str) -> str:
    """Return an absolute path with single slashes, none of them last."""
    return "/" + "/".join(filter(None, path.split("/")))


def _within(path: PurePosixPath, *directories: PurePosixPath) -> bool:
    return any(path.is_relative_to(directory) for directory in directories)
