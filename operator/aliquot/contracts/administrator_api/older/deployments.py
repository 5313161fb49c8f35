"""Deployments of the older surface (control-plane-api.md 1.3): inference workloads, in other words."""

from typing import Final, Literal, get_args

from aliquot.contracts.administrator_api.shapes import Answer, Time

ConditionType = Literal["Available", "Progressing", "ReplicaFailure"]
OLDER_CONDITIONS: Final[tuple[ConditionType, ...]] = get_args(ConditionType)


class OlderOwner(Answer):
    """What a deployment belongs to."""

    kind: str
    """Its kind in Kubernetes."""
    name: str
    """Its name."""
    id: str
    """Its id."""


class OlderContainer(Answer):
    """A container."""

    name: str
    """Its name."""
    image: str
    """Its image."""


class OlderPodTemplate(Answer):
    """What the pods of a deployment are like."""

    containers: list[OlderContainer]
    """Those of the youngest pod; empty: there is none."""
    resource_request: dict[str, float]
    """What that asks for: `gpu` in devices, `gpuMemory` in MiB, `cpu` in cores, `memory` in bytes, others by name."""


class OlderDeploymentCondition(Answer):
    """A condition, as Kubernetes has them for Deployments."""

    type: ConditionType
    """What it is about."""
    status: Literal["true", "false", "Unknown"]
    """Whether it holds."""
    reason: str
    """Why, in one word."""
    message: str
    """The same as a sentence."""


class OlderDeployment(Answer):
    """An inference workload that is there, as its cluster says."""

    cluster_uuid: str
    """Cluster that it runs in."""
    id: str
    """Its uid in its cluster, or its id here if it was submitted here."""
    name: str
    """Its name."""
    namespace: str
    """Where it is."""
    project: str | None
    """Name of the project whose quota it uses; null: it uses nobody's."""
    owners: list[OlderOwner]
    """The inference workload."""
    created_at: Time
    """When it was made."""
    replicas: int
    """How many pods it has that have not ended."""
    template: OlderPodTemplate
    """What those are like."""
    scheduler_name: str
    """Who says where they run."""
    username: str | None
    """Who made it, if it says so."""
    connections: list[str]
    """Addresses that lead to it."""
    inferenceworkload_name: str
    """Name of the inference workload."""
    conditions: list[OlderDeploymentCondition]
    """Those of the workload that Deployments know, too."""
    node_pool: str | None
    """Node pools that it runs in, with commas between."""
