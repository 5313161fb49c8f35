"""A command's way to the cluster: who is asked, and which project is meant."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry

from aliquot import names
from aliquot.cli.failures import is_no_kind, told
from aliquot.cli.preferences import Preferences, preferences_file, read_preferences
from aliquot.clock import SystemClock
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kubernetes import Namespace
from aliquot.errors import UserError
from aliquot.kube.client import ApiClient
from aliquot.kube.config import find_server
from aliquot.kube.contexts import Context, contexts
from aliquot.kube.metrics import RequestMetrics
from aliquot.kube.problems import Forbidden, NotFound
from aliquot.kube.resources import NAMESPACES, Resource
from aliquot.kube.transport import Limits, Transport

T = TypeVar("T")
PROJECTS: Final = Resource(names.RUN_AI_GROUP, "v2", "projects", "Project", namespaced=False)
_LIMITS: Final = Limits(connections=16, attempts=3)
"""Somebody waits in front of a terminal."""
_OTHERS_SECONDS: Final = 5.0
ALLOWED: Final = "the name of a project: give -p PROJECT, or once `aliquot config project PROJECT`"


@dataclass(frozen=True, slots=True)
class Session:
    """What a command has to work with.

    Attributes:
        client: speaks to the API server.
        project: the project that is meant.
        namespace: its namespace.
    """

    client: ApiClient
    project: str
    namespace: str


def in_project(given: str | None, work: Callable[[Session], Awaitable[T]]) -> T:
    """Do something in a project; what goes wrong is told, and ends the command.

    Args:
        given: the project that was typed, if one was.
        work: what to do.
    """

    async def run() -> T:
        preferences = read_preferences(os.environ)
        async with connected(preferences) as client:
            project = await _project(client, given, preferences)
            with told(f"project {project}"):
                return await work(Session(client, project, await namespace_of(client, project)))

    with told():
        return asyncio.run(run())


def in_cluster(work: Callable[[ApiClient], Awaitable[T]]) -> T:
    """Do something that concerns no project; as `in_project`."""

    async def run() -> T:
        async with connected(read_preferences(os.environ)) as client:
            return await work(client)

    with told():
        return asyncio.run(run())


@asynccontextmanager
async def connected(preferences: Preferences) -> AsyncGenerator[ApiClient]:
    """Open a client of the chosen cluster.

    Raises:
        ConfigError: it is unclear where that is.
    """
    clock = SystemClock()
    server = await find_server(os.environ, clock, context=preferences.cluster)
    agent = f"aliquot-cli/{version('aliquot')}"
    transport = Transport(server, clock, RequestMetrics(CollectorRegistry()), user_agent=agent, limits=_LIMITS)
    async with ApiClient(transport) as client:
        try:
            yield client
        except Exception:
            await _others_answered()
            raise


async def _others_answered() -> None:
    """Wait a little for what was asked at the same time as what has failed.

    It would be cancelled when the loop ends, and asyncio never closes a connection whose making is cancelled between
    its TCP handshake and the beginning of TLS.
    """
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=_OTHERS_SECONDS)


def named_project(given: str | None, preferences: Preferences, context: Context | None) -> str | None:
    """Say which project is meant without asking the cluster; None: that cannot be said.

    What was typed wins over what was chosen, and that over the namespace of the kubeconfig, if it is called as those of
    projects are.
    """
    if found := given or preferences.project:
        return found
    namespace = "" if context is None else context.namespace
    found = namespace.removeprefix(names.PROJECT_NAMESPACE_PREFIX)
    return found if found and found != namespace else None


def no_project(context: Context | None) -> UserError:
    """Say that no project was named, and where one was looked for."""
    namespace = "" if context is None else context.namespace
    here = f"the kubeconfig's namespace is {namespace!r}" if namespace else "the kubeconfig names no namespace"
    file = preferences_file(os.environ)
    return UserError("project", None, f"{ALLOWED}; {file} names none, and {here}")


def current_context(preferences: Preferences) -> Context | None:
    """The context of the kubeconfig that is used."""
    every, current = contexts(os.environ)
    chosen = preferences.cluster
    return current if chosen is None else next((each for each in every if each.name == chosen), None)


async def _project(client: ApiClient, given: str | None, preferences: Preferences) -> str:
    if found := given or preferences.project:
        return found
    context = current_context(preferences)
    if found := named_project(None, preferences, context):
        return found
    if context is not None and context.namespace and (found := await _linked(client, context.namespace)):
        return found
    raise no_project(context)


async def _linked(client: ApiClient, namespace: str) -> str | None:
    """The project that a namespace of any name is linked to by its label."""
    try:
        found = (await client.get(NAMESPACES, "", namespace)).decode(Namespace)
    except (Forbidden, NotFound):
        return None
    return found.metadata.labels.get(names.QUEUE_LABEL)


async def namespace_of(client: ApiClient, project: str) -> str:
    """The namespace of a project: as the project says, or by its name for those who may not read projects.

    Raises:
        UserError: there is no such project.
    """
    by_name = names.PROJECT_NAMESPACE_PREFIX + project
    try:
        answer = await client.get(PROJECTS, "", project)
    except Forbidden:
        return by_name
    except NotFound as problem:
        if is_no_kind(problem):
            raise
        raise UserError("project", project, await _projects(client)) from problem
    found = Project.model_validate_json(answer.body)
    return found.status.namespace or found.spec.namespace or by_name


async def _projects(client: ApiClient) -> str:
    try:
        items = await client.list(PROJECTS, Namespace)
    except (Forbidden, NotFound):
        return "the name of a project"
    known = sorted(item.metadata.name for item in items.items)
    return f"one of the projects {', '.join(known)}" if known else "the name of a project; there is none yet"
