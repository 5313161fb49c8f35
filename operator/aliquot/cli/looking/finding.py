"""Asking the cluster for jobs."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

from aliquot import names
from aliquot.cli.failures import NotThere
from aliquot.cli.looking.jobs import Job, job_of
from aliquot.cli.session import Session
from aliquot.contracts.kinds.registry import KINDS
from aliquot.contracts.kubernetes import Pod
from aliquot.errors import UserError
from aliquot.kube.client import ApiClient
from aliquot.kube.resources import PODS, Resource

WORKLOADS: Final[Mapping[str, Resource]] = {
    kind.name: Resource(kind.group, kind.stored, kind.plural, kind.name, namespaced=kind.namespaced)
    for kind in KINDS
    if "runai-workloads" in kind.categories
}
"""The four kinds of workloads."""


async def objects(client: ApiClient, resource: Resource, namespace: str) -> list[dict[str, Any]]:
    """Read all objects of a kind whole; an empty namespace means all of them."""
    answer = (await client.read(resource.collection(namespace))).json()
    items = cast("list[dict[str, Any]]", answer.get("items") or [])
    return [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in items]


async def jobs_in(client: ApiClient, namespace: str, kinds: Collection[str] = tuple(WORKLOADS)) -> list[Job]:
    """Read the workloads of a namespace, templates among them, with their pods; an empty namespace means all."""
    reads = [objects(client, WORKLOADS[kind], namespace) for kind in kinds]
    pods, found = await asyncio.gather(_pods(client, namespace), asyncio.gather(*reads))
    return [job_of(raw, pods) for each in found for raw in each]


async def _pods(client: ApiClient, namespace: str) -> Sequence[Pod]:
    page = await client.list(PODS, Pod, namespace=namespace, label_selector=names.WORKLOAD_KIND_LABEL)
    return page.items


async def job_named(session: Session, name: str) -> Job:
    """Find a job by the name under which it is known, or by that of its object.

    Raises:
        NotThere: the project has none.
        UserError: it has several.
    """
    [found] = pick(await jobs_in(session.client, session.namespace), [name], session.project)
    return found


def pick(jobs: Sequence[Job], wanted: Sequence[str], project: str) -> list[Job]:
    """Pick jobs by name, in the order of the names; errors as of `job_named`."""
    submitted = [job for job in jobs if not job.template]
    return [_pick(submitted, name, project) for name in wanted]


def _pick(jobs: Sequence[Job], name: str, project: str) -> Job:
    by_object = [job for job in jobs if job.object_name == name]
    found = [job for job in jobs if job.name == name] or by_object
    if len(found) > 1 and len(by_object) == 1:
        found = by_object
    if not found:
        raise NotThere(f"job {name} does not exist in project {project}; `aliquot list` shows the jobs there are")
    if len(found) > 1:
        those = ", ".join(sorted(job.object_name for job in found))
        raise UserError("job", name, f"the name of one job: several are called so; by its object say which: {those}")
    return found[0]


def pod_named(job: Job, name: str | None) -> Pod:
    """Pick a pod of a job: the one of that name, or the first that runs, or the first.

    Raises:
        NotThere: it has no such pod, or none at all.
    """
    if not job.pods:
        why = f": {job.status.phase_message}" if job.status.phase_message else ""
        raise NotThere(f"job {job.name} has no pods{why}")
    if name is None:
        return next((pod for pod in job.pods if pod.status.phase == "Running"), job.pods[0])
    for pod in job.pods:
        if pod.metadata.name == name:
            return pod
    those = ", ".join(pod.metadata.name for pod in job.pods)
    raise NotThere(f"job {job.name} has no pod {name}; it has {those}")
