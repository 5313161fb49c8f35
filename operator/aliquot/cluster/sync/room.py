"""The sync with the control plane, for a term: wires what keeps custom resources, what asks, and what tells."""

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Final, NoReturn

import msgspec

from aliquot import log
from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Cache
from aliquot.cluster.mirror.mirror import Listener, Mirror
from aliquot.cluster.sync.caches import Caches
from aliquot.cluster.sync.connection import Connection, SyncMetrics
from aliquot.cluster.sync.keep import Keeper
from aliquot.cluster.sync.manifests import Place
from aliquot.cluster.sync.orders import Orders
from aliquot.cluster.sync.pull import Puller
from aliquot.cluster.sync.push import Leading, Pusher
from aliquot.cluster.sync.storage_classes import StorageClasses
from aliquot.cluster.sync.told import Told
from aliquot.cluster.sync.workloads import Workloads
from aliquot.contracts.cluster_sync import Desired
from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.tenancy import AccessRule
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import ApiProblem
from aliquot.rest.client import Address, AddressError, ControlPlane
from aliquot.settings import ControlPlane as ControlPlaneSettings

_log = log.get(__name__)
_ANEW_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 30.0


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


class Sync:
    """See the module.

    Args:
        client: writes.
        mirror: what is known of the cluster.
        rules: the access rules.
        workloads: knows the workloads, their pods, and what happened to them.
        storage_classes: knows the StorageClasses.
        leading: whether we lead.
        clock: the time.
        trouble: why the operator cannot do its work; None: it can.
        changed: called when it can or cannot speak to the control plane any more.
        metrics: where requests are counted.
        shared_namespace: where policies for all projects are.
        settings: which control plane.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        rules: Cache[AccessRule],
        workloads: Workloads,
        storage_classes: StorageClasses,
        leading: Leading,
        clock: Clock,
        trouble: Callable[[], str | None],
        changed: Callable[[], None],
        metrics: SyncMetrics,
        shared_namespace: str,
        settings: ControlPlaneSettings,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._workloads = workloads
        self._storage_classes = storage_classes
        self._leading = leading
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._chance = Random()  # noqa: S311 - spreads waits and names sessions, guards nothing
        self._connection = Connection(settings.url, clock, changed)
        caches = Caches(mirror, rules)
        self._keeper = Keeper(
            client, caches, settings.cluster_uuid, shared_namespace, clock, self._wanted_changed, self._chance
        )
        self._orders = Orders(client, mirror, settings.cluster_uuid, clock, self._order_changed, self._chance)
        self._told = Told(
            mirror,
            caches,
            self._keeper,
            workloads,
            storage_classes,
            self._orders,
            trouble,
            shared_namespace,
            settings.cluster_url,
            self._news,
        )
        self._pusher: Pusher | None = None

    @property
    def conditions(self) -> Sequence[Condition]:
        """Whether the control plane can be spoken to."""
        return (self._connection.condition,)

    def listen(self, rules: list[Listener[AccessRule]]) -> None:
        """Follow the mirror from now on, and the access rules by their listeners."""
        listeners = self._mirror.listeners
        for follow in (self._keeper.heard, self._told.heard):
            listeners.node_pool.append(follow)
            listeners.department.append(follow)
            listeners.project.append(follow)
            listeners.policy.append(follow)
            rules.append(follow)
        listeners.project.append(self._orders.heard)
        self._told.listen()

    async def run(self) -> NoReturn:
        """Sync until cancelled. Whatever goes wrong goes wrong here: the rest of the operator has work to do."""
        while True:
            try:
                await self._run()
            except AddressError as error:
                self._connection.failed("pull", error)
            except Exception:
                _log.exception("the sync with the control plane broke down")
            await asyncio.sleep(_ANEW_SECONDS)

    async def _run(self) -> None:
        settings = self._settings
        address = Address(
            settings.url,
            settings.cluster_uuid,
            self._secret,
            settings.ca_file or None,
            settings.proxy or None,
            f"aliquot-operator/{version('aliquot')}",
        )
        await self._ask_version()
        try:
            async with (
                ControlPlane(address, self._clock, self._metrics.answered) as plane,
                asyncio.TaskGroup() as group,
            ):
                self._metrics.source = self._connection
                self._pusher = Pusher(
                    plane,
                    self._connection,
                    self._leading,
                    self._told,
                    self._chance,
                    settings.settle_seconds,
                    _LOOK_SECONDS,
                )
                puller = Puller(
                    plane,
                    self._connection,
                    self._want,
                    self._clock,
                    self._chance,
                    settings.wait_seconds,
                    settings.poll_seconds,
                )
                group.create_task(self._keeper.run())
                group.create_task(self._orders.run())
                group.create_task(puller.run())
                group.create_task(self._workloads.events.run())
                await self._storage_classes.fill(group)  # what is told first counts as all there is
                group.create_task(self._pusher.run())
        finally:
            self._metrics.source = self._pusher = None

    def _want(self, desired: Desired) -> None:
        self._keeper.want(desired)
        self._orders.want(desired.orders)

    def _order_changed(self, order_id: str) -> None:
        self._told.order_changed(order_id)

    def _wanted_changed(self, place: Place | None) -> None:
        if place is not None:
            self._told.changed(place)
        self._news()

    def _news(self) -> None:
        if self._pusher is not None:
            self._pusher.changed()

    def _secret(self) -> str:
        """The secret.

        Raises:
            OSError: its file cannot be read.
        """
        file = self._settings.client_secret_file
        return Path(file).read_text() if file else self._settings.client_secret.get_secret_value()

    async def _ask_version(self) -> None:
        try:
            self._told.kube_version = (await self._client.read("/version")).decode(_Version).git_version
        except ApiProblem as problem:
            _log.warning("the version of Kubernetes is not known", problem=str(problem))
