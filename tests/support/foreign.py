"""Kinds that tests install: bare definitions without controllers, whose pods the test makes as a controller would."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from aliquot_lab.api import ApiError
from tests.support.arena import DURATION, Arena

DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
REPORTS: Final = "/apis/run.ai/v1alpha1"
GPU: Final = "nvidia.com/gpu"


def define(
    arena: Arena, group: str, kind: str, version: str = "v1", *, plural: str = "", scope: str = "Namespaced"
) -> str:
    """Install a kind that takes any spec and status; returns the path of its group and version.

    The definition is deleted with everything else of the arena.
    """
    plural = plural or f"{kind.lower()}s"
    _until_not_going(arena, group, plural)
    arena.make(DEFINITIONS, _definition(group, kind, version, plural, scope))
    return _served(arena, group, kind, version, plural, scope)


def define_for_all(arena: Arena, group: str, kind: str, version: str = "v1") -> str:
    """Install such a kind for good, if it is not there: for tests that come one after another."""
    plural = f"{kind.lower()}s"
    _until_not_going(arena, group, plural)
    if not arena.get(f"{DEFINITIONS}/{plural}.{group}"):
        arena.lab.api.call("POST", DEFINITIONS, _definition(group, kind, version, plural))
    return _served(arena, group, kind, version, plural)


def undefine(arena: Arena, group: str, kind: str) -> None:
    """Remove a kind, if it is there, and all its objects; wait until it is gone."""
    path = f"{DEFINITIONS}/{kind.lower()}s.{group}"
    arena.delete(path)
    arena.until(lambda: not arena.get(path), f"{kind} to be gone")


def _until_not_going(arena: Arena, group: str, plural: str) -> None:
    """Wait until a definition that another test has deleted is gone."""
    path = f"{DEFINITIONS}/{plural}.{group}"
    arena.until(
        lambda: "deletionTimestamp" not in arena.get(path).get("metadata", {}), f"an earlier {plural}.{group} to go"
    )


def _definition(group: str, kind: str, version: str, plural: str, scope: str = "Namespaced") -> dict[str, Any]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _served(arena: Arena, group: str, kind: str, version: str, plural: str, scope: str = "Namespaced") -> str:
    path = f"/apis/{group}/{version}"
    where = f"{path}/namespaces/default/{plural}" if scope == "Namespaced" else f"{path}/{plural}"
    dry = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "dry"}}
    arena.until(lambda: _is_taken(arena, f"{where}?dryRun=All", dry), f"{kind} to be served")
    return path


def _is_taken(arena: Arena, path: str, manifest: dict[str, Any]) -> bool:
    try:
        arena.lab.api.call("POST", path, manifest)
    except ApiError as problem:
        # Not known yet; an earlier definition is still believed to be there, and going; its storage is being prepared.
        if problem.status in (404, 405, 429):
            return False
        raise
    return True


def needs_policies(arena: Arena) -> None:
    """Wait until the chart's MutatingAdmissionPolicies hold; skip the test where the API server knows no such kind."""
    served = arena.get("/apis/admissionregistration.k8s.io/v1")["resources"]
    if not any(resource["name"] == "mutatingadmissionpolicies" for resource in served):
        pytest.skip("this Kubernetes has no MutatingAdmissionPolicies")
    half = {"apiVersion": "v1", "kind": "Pod", **template(gpu="0.5", name="dry")}

    def hold() -> bool:
        try:
            arena.lab.api.call("POST", "/api/v1/namespaces/default/pods?dryRun=All", half)
        except ApiError:  # half a GPU is refused where no policy makes an annotation of it
            return False
        return True

    arena.until(hold, "the policies of the chart to be in force")


def owned_by(owner: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of what a controller makes for the object."""
    metadata = owner["metadata"]
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"ownerReferences": [reference]}


def template(*, gpu: int | str = 1, duration: str | None = None, **metadata: Any) -> dict[str, Any]:
    """A pod template that asks for our scheduler."""
    annotations = dict(metadata.pop("annotations", {}))
    if duration is not None:
        annotations[DURATION] = duration
    container = {"name": "main", "image": "registry.example.com/foreign:1", "resources": {"limits": {GPU: str(gpu)}}}
    return {
        "metadata": {**metadata, "annotations": annotations},
        "spec": {"schedulerName": "runai-scheduler", "restartPolicy": "Always", "containers": [container]},
    }


def report(arena: Arena, namespace: str, name: str) -> dict[str, Any]:
    """The ExternalWorkload on the object of that name; empty when there is none."""
    found: list[dict[str, Any]] = arena.get(f"{REPORTS}/namespaces/{namespace}/externalworkloads").get("items", [])
    named = [one for one in found if one["spec"].get("originalWorkloadName") == name]
    return named[0] if named else {}


def until_reported(arena: Arena, namespace: str, name: str, *phases: str) -> dict[str, Any]:
    """Wait until the report on an object says one of the phases; returns it."""
    found: dict[str, Any] = {}

    def there() -> bool:
        nonlocal found
        found = report(arena, namespace, name)
        return found.get("status", {}).get("observedStatus", {}).get("phase") in phases

    try:
        arena.until(there, f"{name} to be reported {' or '.join(phases)}")
    except AssertionError as problem:
        raise AssertionError(f"{problem}: {found}") from None
    return found


def active(pods: list[dict[str, Any]]) -> list[str]:
    """Names of the pods that have a node."""
    return [pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName")]
