"""Manifests of other people's operators, and how an API server reaches an operator that runs beside the cluster."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import orjson
import yaml

from aliquot_lab.cluster import Cluster
from aliquot_lab.errors import LabError
from aliquot_lab.processes import eventually

Manifest = dict[str, Any]

WEBHOOKS: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_FIRST: Final = ("CustomResourceDefinition", "Namespace")
_SECONDS: Final = 120.0
# Definitions are megabytes of YAML: 16 seconds in plain Python, 2 with libyaml.
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def read(*places: Path) -> list[Manifest]:
    """The manifests in files, and in the `.yaml` files of folders and those below them."""
    files = [file for place in places for file in (sorted(place.glob("**/*.yaml")) if place.is_dir() else [place])]
    return [manifest for file in files for manifest in parse(file.read_text())]


def parse(text: str) -> list[Manifest]:
    """The manifests in a YAML text."""
    documents = cast("Iterable[Manifest | None]", yaml.load_all(text, _LOADER))
    return [manifest for manifest in documents if manifest]


def of_kinds(manifests: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    """Those of some kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def served_here(manifests: Sequence[Manifest], service: str, port: int) -> list[Manifest]:
    """The manifests, with webhooks of a Service that are answered by a process on this machine.

    Webhooks keep their Service, whose name is in the operator's certificate; it becomes another name of this machine.

    Args:
        manifests: As they come.
        service: Name of the Service.
        port: Where the process listens.
    """
    return [_served_here(manifest, service, port) for manifest in manifests]


def _served_here(manifest: Manifest, service: str, port: int) -> Manifest:
    if manifest["kind"] == "Service" and manifest["metadata"]["name"] == service:
        return {**manifest, "spec": {"type": "ExternalName", "externalName": "localhost"}}
    if manifest["kind"] not in WEBHOOKS:
        return manifest
    webhooks: list[Manifest] = []
    for webhook in manifest["webhooks"]:
        client = webhook["clientConfig"]
        at = {**client["service"], "port": port} if client["service"]["name"] == service else client["service"]
        webhooks.append({**webhook, "clientConfig": {**client, "service": at}})
    return {**manifest, "webhooks": webhooks}


def with_data(manifests: Sequence[Manifest], data: Mapping[str, Mapping[str, str]]) -> list[Manifest]:
    """The manifests, with further data in the ConfigMaps that are named.

    Raises:
        LabError: there is no ConfigMap of a name.
    """
    names = {manifest["metadata"]["name"] for manifest in of_kinds(manifests, "ConfigMap")}
    if unknown := sorted(data.keys() - names):
        message = f"there is no ConfigMap {', '.join(unknown)}, there are: {', '.join(sorted(names))}"
        raise LabError(message)
    changed: list[Manifest] = []
    for manifest in manifests:
        more = data.get(manifest["metadata"]["name"]) if manifest["kind"] == "ConfigMap" else None
        changed.append({**manifest, "data": {**manifest.get("data", {}), **more}} if more else manifest)
    return changed


def apply(cluster: Cluster, manifests: Sequence[Manifest]) -> None:
    """Apply manifests; what they define is served before anything else is made.

    Raises:
        LabError: one was refused, or a definition is not served in time.
    """
    first = of_kinds(manifests, *_FIRST)
    _apply(cluster, first)
    for definition in of_kinds(first, "CustomResourceDefinition"):
        path = _where(definition)
        if not eventually(lambda path=path: cluster.api.answers(path), seconds=_SECONDS, interval=0.1):
            message = f"the API server does not serve {path} after {_SECONDS:.0f} s"
            raise LabError(message)
    _apply(cluster, [manifest for manifest in manifests if manifest["kind"] not in _FIRST])


def forget_webhooks(cluster: Cluster, manifests: Iterable[Manifest]) -> None:
    """Delete the registrations of webhooks, so that nobody is asked who is not there any more."""
    for manifest in of_kinds(manifests, *WEBHOOKS):
        cluster.kubectl("delete", manifest["kind"], manifest["metadata"]["name"], "--ignore-not-found")


def _apply(cluster: Cluster, manifests: Sequence[Manifest]) -> None:
    if manifests:
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        arguments = ("apply", "--server-side", "--force-conflicts", "--validate=ignore", "-f", "-")
        cluster.kubectl(*arguments, input=orjson.dumps(items))


def _where(definition: Manifest) -> str:
    """Where a definition's objects are listed."""
    spec = definition["spec"]
    version = next(version["name"] for version in spec["versions"] if version["served"])
    return f"/apis/{spec['group']}/{version}/{spec['names']['plural']}?limit=1"
