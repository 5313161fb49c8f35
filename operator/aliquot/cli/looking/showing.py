"""What `list`, `describe` and `whoami` do (cluster-api.md 7.1)."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import typer

from aliquot import names
from aliquot.cli.failures import NotThere, told
from aliquot.cli.looking.description import Event, description
from aliquot.cli.looking.finding import job_named, jobs_in, objects
from aliquot.cli.looking.jobs import Job
from aliquot.cli.looking.node_description import node_description
from aliquot.cli.looking.nodes import WholeNode, by_node, missing, node_table, top_table
from aliquot.cli.looking.rows import job_table, project_table, workload_table
from aliquot.cli.output import View, as_json, as_yaml, columns, printable
from aliquot.cli.preferences import read_preferences
from aliquot.cli.session import (
    PROJECTS,
    Session,
    current_context,
    in_cluster,
    in_project,
    named_project,
)
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kubernetes import Pod
from aliquot.errors import UserError
from aliquot.kube.client import ApiClient
from aliquot.kube.contexts import contexts
from aliquot.kube.problems import Forbidden, NotFound
from aliquot.kube.resources import EVENTS, NODES, PODS, Resource

EXTERNAL: Final = Resource(names.RUN_AI_GROUP, "v1alpha1", "externalworkloads", "ExternalWorkload")
REVIEWS: Final = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)
_INTERACTIVE: Final = ("InteractiveWorkload",)
_INFERENCE: Final = ("InferenceWorkload",)
_NODES: Final = ("node", "nodes")
_KINDS_OF_THINGS: Final = ("job", "jobs", "workload", "workloads")


def list_jobs(project: str | None, output: View | None, *, everywhere: bool) -> None:
    """Show the jobs of a project, or of all."""

    async def read(client: ApiClient, namespace: str) -> tuple[list[Job], list[dict[str, Any]]]:
        jobs, others = await asyncio.gather(jobs_in(client, namespace), _others(client, namespace))
        return [job for job in jobs if not job.template], others

    async def here(session: Session) -> tuple[str, tuple[list[Job], list[dict[str, Any]]]]:
        return session.project, await read(session.client, session.namespace)

    if everywhere:
        title, (jobs, others) = "Showing jobs for all projects", in_cluster(lambda client: read(client, ""))
    else:
        found, (jobs, others) = in_project(project, here)
        title = f"Showing jobs for project {found}"
    if output in (View.JSON, View.YAML):
        _print([*(dict(job.raw) for job in jobs), *others], output)
        return
    typer.echo(title)
    foreign = [ExternalWorkload.model_validate(raw) for raw in others]
    typer.echo(job_table(jobs, foreign, datetime.now(UTC), wide=output is View.WIDE))


async def _others(client: ApiClient, namespace: str) -> list[dict[str, Any]]:
    """Workloads of other kinds; none for those who may not see them."""
    try:
        return await objects(client, EXTERNAL, namespace)
    except (Forbidden, NotFound):
        return []


def list_workloads(
    project: str | None, output: View | None, *, everywhere: bool, interactive: bool, inference: bool
) -> None:
    """Show the objects of a project and the templates of all; interactive ones, or inference, if that is asked for."""
    kinds = (*(_INTERACTIVE if interactive else ()), *(_INFERENCE if inference else ()))

    async def read(client: ApiClient, namespace: str) -> list[Job]:
        return await (jobs_in(client, namespace, kinds) if kinds else jobs_in(client, namespace))

    async def here(session: Session) -> list[Job]:
        own = await read(session.client, session.namespace)
        try:
            shared = await read(session.client, names.SYSTEM_NAMESPACE)
        except Forbidden:
            return own
        return [*own, *(job for job in shared if job.template)]

    jobs = in_cluster(lambda client: read(client, "")) if everywhere else in_project(project, here)
    if output in (View.JSON, View.YAML):
        _print([dict(job.raw) for job in jobs], output)
        return
    typer.echo(workload_table(jobs, names.SYSTEM_NAMESPACE))


def list_projects(output: View | None) -> None:
    """Show the projects."""
    found = in_cluster(lambda client: objects(client, PROJECTS, ""))
    if output in (View.JSON, View.YAML):
        _print(found, output)
        return
    with told():
        preferences = read_preferences(os.environ)
        default = named_project(None, preferences, current_context(preferences))
    typer.echo(project_table([Project.model_validate(raw) for raw in found], default))


def list_nodes(wanted: Sequence[str], output: View | None) -> None:
    """Show nodes, all or those that are named, with what pods hold of their GPUs."""
    _show_nodes(wanted, output, node_table)


def describe_nodes(wanted: Sequence[str], output: View | None) -> None:
    """Tell everything about nodes, all or those that are named."""

    def described(nodes: Iterable[WholeNode], pods: Sequence[Pod]) -> str:
        ordered = sorted(nodes, key=lambda node: node.metadata.name)
        held = by_node(pods)
        return "\n\n".join(node_description(node, held[node.metadata.name]) for node in ordered)

    _show_nodes(wanted, output, described)


def _show_nodes(
    wanted: Sequence[str], output: View | None, lay_out: Callable[[Sequence[WholeNode], Sequence[Pod]], str]
) -> None:
    async def read(client: ApiClient) -> tuple[list[dict[str, Any]], Sequence[Pod]]:
        raw, pods = await asyncio.gather(objects(client, NODES, ""), client.list(PODS, Pod))
        return raw, pods.items

    found, pods = in_cluster(read)
    nodes = [msgspec.convert(raw, WholeNode) for raw in found]
    with told():
        if absent := missing(nodes, wanted):
            raise NotThere(f"the cluster has no node {absent[0]}; it has {', '.join(n.metadata.name for n in nodes)}")
    if output in (View.JSON, View.YAML):
        _print([raw for raw in found if not wanted or raw["metadata"]["name"] in wanted], output)
        return
    typer.echo(lay_out([node for node in nodes if not wanted or node.metadata.name in wanted], pods))


def top_jobs(project: str | None, *, everywhere: bool) -> None:
    """Show what the jobs of a project hold, or those of all."""

    async def here(session: Session) -> list[Job]:
        return await jobs_in(session.client, session.namespace)

    jobs = in_cluster(lambda client: jobs_in(client, "")) if everywhere else in_project(project, here)
    typer.echo(top_table(jobs, datetime.now(UTC)))


def list_clusters() -> None:
    """Show the contexts of the kubeconfig."""
    with told():
        chosen = current_context(read_preferences(os.environ))
        every, _ = contexts(os.environ)
    rows = [(f"{each.name} (current)" if each == chosen else each.name, each.namespace) for each in every]
    typer.echo(columns(("CLUSTER", "NAMESPACE"), rows))


def describe(words: Sequence[str], project: str | None, output: View | None) -> None:
    """Tell everything about a job; about nodes, if the words say so."""
    if words and words[0] in _NODES:
        describe_nodes(words[1:], output)
        return
    with told():
        name = name_in(words)
    job, events = in_project(project, lambda session: _read(session, name))
    if output in (View.JSON, View.YAML):
        typer.echo(as_json(dict(job.raw)) if output is View.JSON else as_yaml(dict(job.raw)))
        return
    typer.echo(description(job, events, datetime.now(UTC)))


def name_in(words: Sequence[str]) -> str:
    """The one name in `[job] NAME`; errors as of `names_in`."""
    found = names_in(words)
    if len(found) > 1:
        raise UserError("NAME", " ".join(words), "the name of one job")
    return found[0]


def names_in(words: Sequence[str]) -> Sequence[str]:
    """The names in `[job] NAME…`.

    Raises:
        UserError: there is none.
    """
    found = words[1:] if len(words) > 1 and words[0] in _KINDS_OF_THINGS else words
    if not found:
        raise UserError("NAME", None, "the name of a job")
    return found


async def _read(session: Session, name: str) -> tuple[Job, Sequence[Event]]:
    job = await job_named(session, name)
    return job, (await session.client.list(EVENTS, Event, namespace=session.namespace)).items


def whoami() -> None:
    """Say as whom the cluster knows you."""
    found = in_cluster(_who)
    typer.echo(f"User: {printable(str(found.get('username', '')))}")
    typer.echo(f"Groups: {', '.join(map(printable, found.get('groups') or ())) or '-'}")


async def _who(client: ApiClient) -> Mapping[str, Any]:
    body = {"apiVersion": REVIEWS.api_version, "kind": REVIEWS.kind}
    status: Any = (await client.create(REVIEWS, body)).json().get("status") or {}
    return status.get("userInfo") or {}


def _print(items: Sequence[Mapping[str, Any]], output: View | None) -> None:
    every = {"apiVersion": "v1", "kind": "List", "items": list(items)}
    typer.echo(as_json(every) if output is View.JSON else as_yaml(every))
