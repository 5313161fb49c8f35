"""A namespace of objects and pods as a table test writes it, and what the table makes of it, as aligned text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec
import yaml

from aliquot.clock import SystemClock
from aliquot.cluster.foreign.projection import body_of, projection
from aliquot.cluster.jobs import Jobs
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import Tenant, pod_facts
from aliquot.core.intake.group_table import (
    OwnerKey,
    OwnerObject,
    Table,
    builtin_table,
    chain_of,
    facts_in,
    needs_of,
    owner_object,
    pod_object,
    seat_of,
)
from aliquot.core.scheduling import JobChanged, TaskChanged
from aliquot.core.scheduling.facts import Group, Job, Task, Topology

CLASSES = {"train": 50, "build-preemptible": 75, "build": 100, "inference": 125, "urgent": 90}
NAMESPACE = "team"


class World:
    """Objects of the table's kinds, and pods.

    A text is YAML with several documents. `kind/name` as `owner` stands for a controlling owner reference; objects
    without a uid have `kind/name` as theirs.
    """

    def __init__(self, text: str, table: Table | None = None) -> None:
        self.table = table or builtin_table()
        self.objects: dict[OwnerKey, OwnerObject] = {}
        self.pods: dict[str, Pod] = {}
        self._versions: dict[str, str] = {}
        documents = [cast("dict[str, Any]", each) for each in yaml.safe_load_all(text) if each]
        for document in documents:
            self._versions[str(document.get("kind", "Pod"))] = str(document.get("apiVersion", "v1"))
        for number, document in enumerate(documents):
            self._put(self._completed(document, number))

    def find(self, key: OwnerKey) -> OwnerObject | None:
        if key.kind == "Pod":
            pod = self.pods.get(key.name)
            return None if pod is None else pod_object(pod, self.table)
        return self.objects.get(key)

    def facts(self) -> Iterator[tuple[Job, Task]]:
        """The jobs and tasks of all pods, as the scheduler is told of them."""
        events: list[object] = []
        jobs = Jobs(events.append, SystemClock(), lambda _: None)
        for pod in self.pods.values():
            seat = seat_of(pod, chain_of(pod, self.table, self.find), self.table, self.find)
            topologies = self.table.topologies
            alone = pod_facts(pod, Tenant("vision", ()), topologies)
            job, task = facts_in(seat, alone.job, alone.task, pod, CLASSES, topologies)
            jobs.here(replace(alone, job=job, task=task))
        told = {event.job.id: event.job for event in events if isinstance(event, JobChanged)}
        tasks = {event.task.id: event.task for event in events if isinstance(event, TaskChanged)}
        yield from ((told[task.job], task) for task in tasks.values())

    def outline(self) -> str:
        """One line for each job: what it is, its parts, its pods."""
        pods: dict[str, list[str]] = {}
        jobs: dict[str, Job] = {}
        for job, task in self.facts():
            order = "" if task.priority is None else f"^{'first' if task.priority >= 2**31 else task.priority}"
            of_set = "" if task.pod_set == "default" else f":{task.pod_set}"
            pods.setdefault(job.id, []).append(f"{task.name}{of_set}{order}")
            jobs[job.id] = job
        return "\n".join(sorted(f"{_line(job)} | {' '.join(sorted(pods[id_]))}" for id_, job in jobs.items()))

    def _completed(self, document: Mapping[str, Any], number: int) -> dict[str, Any]:
        kind, name = document.get("kind", "Pod"), document["name"]
        metadata: dict[str, Any] = {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"{kind}/{name}",
            "resourceVersion": "1",
            "creationTimestamp": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z",
            "labels": document.get("labels", {}),
            "annotations": document.get("annotations", {}),
        }
        if "owner" in document:
            owner_kind, _, owner = document["owner"].partition("/")
            version = document.get("ownerVersion") or self._versions.get(owner_kind, "example.com/v1")
            metadata["ownerReferences"] = [
                {"apiVersion": version, "kind": owner_kind, "name": owner, "uid": document["owner"], "controller": True}
            ]
        rest = {key: document[key] for key in ("spec", "status") if key in document}
        return {"apiVersion": document.get("apiVersion", "v1"), "kind": kind, "metadata": metadata, **rest}

    def _put(self, document: dict[str, Any]) -> None:
        if document["kind"] == "Pod":
            document["spec"] = {"schedulerName": "runai-scheduler", **document.get("spec", {})}
            self.pods[document["metadata"]["name"]] = msgspec.convert(document, Pod)
            return
        version = document["apiVersion"]
        kind = self.table.get(version.partition("/")[0] if "/" in version else "", document["kind"])
        if kind is None:
            return
        read = msgspec.json.decode(json.dumps(document), type=projection(needs_of(kind)))
        found = owner_object(kind, version, read.metadata, body_of(read))
        whole = owner_object(kind, version, read.metadata, document)
        assert found == whole, "the table reads a member that is not among its needs"
        self.objects[found.key] = found


def _line(job: Job) -> str:
    stop = "" if job.preemptible else " minimum kept" if job.surplus_preemptible else " kept"
    return f"{job.name} {job.min_member} prio {job.priority}{stop}{_group(job.group)}"


def _group(group: Group | None) -> str:
    if group is None:
        return ""
    parts = [f"{each.name}={each.min_member}{_topology(each.topology)}" for each in group.pod_sets]
    parts += [f"{each.name}{_group(each)}" for each in group.groups]
    return f"{_topology(group.topology)} ({' '.join(parts)})"


def _topology(topology: Topology | None) -> str:
    if topology is None:
        return ""
    return f"@{topology.required or ''}{f'~{topology.preferred}' if topology.preferred else ''}"
