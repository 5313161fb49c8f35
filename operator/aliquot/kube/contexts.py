"""The contexts of a kubeconfig: which cluster is meant, and which namespace.

For command lines: an operator is told its namespace. As in `config`, the `kubernetes` package is loaded on first use.
"""

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aliquot.kube.config import SERVICE_ACCOUNT_DIRECTORY, ConfigError

_IN_CLUSTER: Final = "in-cluster"


@dataclass(frozen=True, slots=True)
class Context:
    """A cluster, as somebody, in a namespace.

    Attributes:
        name: what the kubeconfig calls it.
        namespace: its namespace; empty: none is named.
    """

    name: str
    namespace: str = ""


def kubeconfig_paths(environment: Mapping[str, str], context: str | None = None) -> str | None:
    """Return the kubeconfig files that `find_server` reads, joined by `:`; None: it takes the pod's service account.

    Args:
        environment: the process's environment variables.
        context: a context that was chosen; with one, a kubeconfig is meant in a pod, too.
    """
    if environment.get("KUBECONFIG"):
        return environment["KUBECONFIG"]
    if environment.get("KUBERNETES_SERVICE_HOST") and context is None:
        return None
    return str(Path(environment.get("HOME") or "/") / ".kube" / "config")


def contexts(environment: Mapping[str, str]) -> tuple[Sequence[Context], Context | None]:
    """Return all contexts, and the current one; None: none is. Without a kubeconfig there are none.

    Raises:
        ConfigError: the kubeconfig cannot be read.
    """
    paths = kubeconfig_paths(environment)
    if paths is None:
        pod = Context(_IN_CLUSTER, _namespace_of_pod(SERVICE_ACCOUNT_DIRECTORY))
        return (pod,), pod
    if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path):
        return (), None
    module: Any = importlib.import_module("kubernetes.aio.config")
    try:
        every, current = module.list_kube_config_contexts(paths)
    except Exception as error:
        raise ConfigError(f"kubeconfig {paths}: {error}") from error
    return tuple(_context(entry) for entry in every), _context(current) if current else None


def _context(entry: Any) -> Context:
    inside: dict[str, object] = entry["context"] or {}
    return Context(str(entry["name"]), str(inside.get("namespace") or ""))


def _namespace_of_pod(directory: Path) -> str:
    file = directory / "namespace"
    return file.read_text().strip() if file.is_file() else ""
