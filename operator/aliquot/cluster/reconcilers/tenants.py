"""Projects, departments and node pools: their namespaces, and statuses that say who holds what.

A project's namespace is made or labelled, never deleted and never taken from another project: deleting a project leaves
its namespace and its pods where they are.
"""

from collections.abc import Callable

import msgspec

from aliquot import names
from aliquot.clock import Clock
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.feed import Feed
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.reconcilers.status_writes import patch_status
from aliquot.cluster.resources import DEPARTMENTS, NODE_POOLS, PROJECTS
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kubernetes import Namespace
from aliquot.core.intake import health_problem, node_problems
from aliquot.core.scheduling import QueueUsage, facts
from aliquot.core.scheduling.facts import DEPARTMENT_PREFIX
from aliquot.core.tenancy import (
    NamespacePlan,
    department_named,
    department_of,
    department_status,
    namespace_name,
    namespace_plan,
    node_pool_status,
    project_status,
)
from aliquot.kube import resources
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import AlreadyExists

_NAMESPACE = msgspec.json.Decoder(Namespace)


class TenantReconciler:
    """Brings projects, departments and node pools to what they should be.

    Args:
        client: writes.
        mirror: what we know.
        feed: the nodes and node pools as the scheduler knows them.
        clock: the time given to statuses.
        usage: what counts against a queue, by pool and queue.
        configuration: whether namespaces are made here.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        feed: Feed,
        clock: Clock,
        usage: Callable[[str, str], QueueUsage],
        configuration: Configuration,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._feed = feed
        self._clock = clock
        self._usage = usage
        self._configuration = configuration

    async def reconcile_project(self, key: Key) -> None:
        """Make or label the project's namespace, then write its status.

        Raises:
            ApiProblem: a step could not be taken; call again.
        """
        project = self._mirror.projects.get(key)
        if project is None or project.metadata.deletion_timestamp is not None:
            return
        plan = self._plan(project)
        if plan.create or plan.labels:
            await self._settle_namespace(plan)
        await self.write_project_status(key)

    async def write_project_status(self, key: Key) -> None:
        """Write the project's status if it differs.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        project = self._mirror.projects.get(key)
        if project is None:
            return
        usage = {pool: self._usage(pool, project.metadata.name) for pool in self._feed.pools}
        department = self._mirror.departments.get(Key("", department_named(project)))
        after = project_status(project, self._plan(project), usage, department, project.status, self._clock.now())
        await patch_status(self._client, PROJECTS, project.metadata, project.status, after)

    async def write_department_status(self, key: Key) -> None:
        """Write the department's status if it differs.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        department = self._mirror.departments.get(key)
        if department is None:
            return
        name = department.metadata.name
        every = [held.metadata.name for held in self._mirror.departments]
        members = sorted(
            (project for project in self._mirror.projects if department_of(project, every) == name),
            key=lambda project: project.metadata.name,
        )
        usage = {pool: self._usage(pool, f"{DEPARTMENT_PREFIX}{name}") for pool in self._feed.pools}
        after = department_status(department, members, usage, department.status, self._clock.now())
        await patch_status(self._client, DEPARTMENTS, department.metadata, department.status, after)

    async def write_node_pool_status(self, key: Key) -> None:
        """Write the node pool's status if it differs; the pool `default` may exist without an object.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        pool = self._mirror.node_pools.get(key)
        if pool is None:
            return
        nodes = [node for node in self._feed.nodes.values() if node.pool == pool.metadata.name]
        problems = {node.name: self._problems(node) for node in nodes}
        after = node_pool_status(pool, nodes, self._mirror.node_pools, problems)
        await patch_status(self._client, NODE_POOLS, pool.metadata, pool.status, after)

    def _problems(self, fact: facts.Node) -> tuple[str, ...]:
        """What is wrong with a node, of which the scheduler knows this."""
        node = self._mirror.nodes.get(Key("", fact.name))
        if node is None:
            return ()
        return (*node_problems(node), health_problem(node)) if fact.broken else node_problems(node)

    def _plan(self, project: Project) -> NamespacePlan:
        own = self._mirror.namespaces.get(Key("", namespace_name(project)))
        labelled = self._mirror.namespaces_of(project.metadata.name)
        is_ours = self._configuration.config.creates_namespaces
        return namespace_plan(project, labelled, own, is_ours_to_make=is_ours)

    async def _settle_namespace(self, plan: NamespacePlan) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": plan.name, "labels": dict(plan.labels)},
        }
        if plan.create:
            try:
                answer = await self._client.create(resources.NAMESPACES, body, field_manager=names.TENANCY_MANAGER)
            except AlreadyExists:
                answer = await self._client.get(resources.NAMESPACES, "", plan.name)
        else:
            answer = await self._client.merge_patch(
                resources.NAMESPACES,
                "",
                plan.name,
                {"metadata": {"labels": dict(plan.labels)}},
                field_manager=names.TENANCY_MANAGER,
            )
        self._mirror.namespaces.put(_NAMESPACE.decode(answer.body))
