"""What a control plane is told of: nodes, StorageClasses, its own objects, workloads, and the cluster as a whole."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Final, TypeVar, cast

from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.sync.books import Batch, Books
from aliquot.cluster.sync.caches import Caches
from aliquot.cluster.sync.keep import Keeper
from aliquot.cluster.sync.manifests import POLICIES, POLICY_NAME, RULE_PREFIX, Held, Place, place_of
from aliquot.cluster.sync.orders import Orders
from aliquot.cluster.sync.reported import (
    platform,
    reported_access_rule,
    reported_department,
    reported_node,
    reported_node_pool,
    reported_policy,
    reported_project,
)
from aliquot.cluster.sync.storage_classes import StorageClasses
from aliquot.cluster.sync.workloads import Workloads
from aliquot.contracts.cluster_sync import (
    KINDS,
    Kind,
    Reported,
    ReportedCluster,
    ReportedCondition,
    ReportedOperand,
    policy_name,
)
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.contracts.kubernetes import Node
from aliquot.core.intake import pool_of, pool_rules

_MODELS: Final[Mapping[Kind, type[Held]]] = {
    "nodePool": NodePool,
    "department": Department,
    "project": Project,
    "accessRule": AccessRule,
}
_KINDS: Final[Mapping[type[Held], Kind]] = {
    **{model: kind for kind, model in _MODELS.items()},
    **dict.fromkeys(POLICIES, "policy"),
}
_LONGEST: Final = 4096
HeldT = TypeVar("HeldT", bound=Held)


class Told:
    """See the module.

    Args:
        mirror: what is known of the cluster.
        caches: the custom resources, by kind.
        keeper: knows which of them are the control plane's, and which are not as it wants them.
        workloads: knows the workloads, their pods, and what happened to them.
        storage_classes: knows the StorageClasses.
        orders: knows what became of orders.
        trouble: why the operator cannot do its work; None: it can.
        shared_namespace: where policies for all projects are.
        url: where people reach the cluster; empty: nobody knows.
        news: called when there may be something to tell.

    Attributes:
        books: what was told, and what changed.
        kube_version: of the API server.
    """

    def __init__(
        self,
        mirror: Mirror,
        caches: Caches,
        keeper: Keeper,
        workloads: Workloads,
        storage_classes: StorageClasses,
        orders: Orders,
        trouble: Callable[[], str | None],
        shared_namespace: str,
        url: str,
        news: Callable[[], None],
    ) -> None:
        self._mirror = mirror
        self._caches = caches
        self._keeper = keeper
        self._workloads = workloads
        self._storage_classes = storage_classes
        self._orders = orders
        self._trouble = trouble
        self._shared_namespace = shared_namespace
        self._url = url.rstrip("/") or None
        self._news = news
        self._pools = pool_rules(())
        self.books = Books()
        self.kube_version = ""

    def listen(self) -> None:
        """Follow nodes, which pool they belong to, StorageClasses and workloads, from now on."""
        self._mirror.listeners.node.append(self._node_changed)
        self._mirror.listeners.node_pool.append(self._pool_changed)
        self._pools = pool_rules(self._mirror.node_pools)
        self._storage_classes.listen(lambda name: self._object_changed("storageClass", name))
        self._workloads.listen(self._object_changed)

    def heard(self, old: HeldT | None, new: HeldT | None) -> None:
        """Learn of a change of a custom resource: a listener of its cache."""
        held = new or old
        assert held is not None
        self.changed(place_of(held))
        self._news()

    def changed(self, place: Place) -> None:
        """Learn that an object is to be told of differently, perhaps."""
        kind, name = _KINDS[place.model], self._outside(place)
        if name is not None:
            self.books.changed(kind, name)

    def begin(self) -> None:
        """Begin a session, which has told nothing yet."""
        self._workloads.events.begin()
        self.books.begin(self._there())

    def taken(self, batch: Batch) -> None:
        """Learn that a report has arrived: Events that it told of are not kept any longer."""
        for kind, name in batch.names:
            if kind == "event":
                self._workloads.events.taken(name)

    def _there(self) -> Mapping[Kind, Iterable[str]]:
        """The names of all objects, by kind."""
        found: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
        found |= {kind: [*names] for kind, names in self._workloads.there().items()}
        found["order"] = [*self._orders.there()]
        found["storageClass"] = [*self._storage_classes.there()]
        found["node"] = [node.metadata.name for node in self._mirror.nodes]
        held = [place_of(each) for model in _KINDS for each in self._caches.of(model)]
        for place in (*held, *self._keeper.refused):
            if (name := self._outside(place)) is not None:
                found[_KINDS[place.model]].append(name)
        return found

    def look(self, kind: Kind, name: str) -> bytes | None:
        """An object as it is reported, as JSON; None: there is none, or it is none of the control plane's."""
        if kind == "node":
            node = self._mirror.nodes.get(Key("", name))
            return None if node is None else _encoded(reported_node(node, pool_of(node.metadata.labels, self._pools)))
        if kind not in _KINDS.values():
            found = self._look_elsewhere(kind, name)
            return None if found is None else _encoded(found)
        place = self._inside(kind, name)
        if not self._keeper.is_managed(place):
            return None
        held, problem = self._caches.get(place), self._keeper.problem(place)
        return _encoded(_reported(kind, name, held, problem))

    def _look_elsewhere(self, kind: Kind, name: str) -> Reported | None:
        match kind:
            case "order":
                return self._orders.look(name)
            case "storageClass":
                return self._storage_classes.look(name)
            case _:
                return self._workloads.look(kind, name)

    def cluster(self) -> ReportedCluster | None:
        """The cluster as a whole, as it is reported; None: nobody knows yet what of it is in place."""
        if not self._keeper.has_looked:
            return None
        trouble = self._trouble()
        said = "" if trouble is None else trouble[:_LONGEST]
        available = ReportedCondition(
            type="Available",
            status="True" if trouble is None else "False",
            reason="AsExpected" if trouble is None else "OperatorNotReady",
            message=said,
        )
        return ReportedCluster(
            version=version("aliquot"),
            kube_version=self.kube_version,
            platform=platform(self.kube_version, next(iter(self._mirror.nodes), None)),
            domain=self._url,
            conditions=(available,),
            operands={"operator": ReportedOperand(ready=trouble is None, reasons=(said,) if said else ())},
            applied_revision=self._keeper.applied,
            not_managed=self._keeper.not_managed,
        )

    def order_changed(self, order_id: str) -> None:
        """Learn that there is something to be told of an order."""
        self.books.changed("order", order_id)
        self._news()

    def _outside(self, place: Place) -> str | None:
        """What an object is called in reports; None: it is not told of, as it is a rule or policy somebody made."""
        if _KINDS[place.model] == "policy":
            namespace = None if place.namespace == self._shared_namespace else place.namespace
            return policy_name(place.model.__name__, namespace) if place.name == POLICY_NAME else None
        if place.model is not AccessRule:
            return place.name
        return place.name.removeprefix(RULE_PREFIX) if place.name.startswith(RULE_PREFIX) else None

    def _inside(self, kind: Kind, name: str) -> Place:
        """Which object has a name in reports."""
        if kind == "policy":
            of_kind, _, namespace = name.partition(".")
            model = next(each for each in POLICIES if each.__name__ == of_kind)
            return Place(model, POLICY_NAME, namespace or self._shared_namespace)
        return Place(_MODELS[kind], f"{RULE_PREFIX}{name}" if kind == "accessRule" else name)

    def _object_changed(self, kind: Kind, name: str) -> None:
        self.books.changed(kind, name)
        self._news()

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        node = new or old
        assert node is not None
        self.books.changed("node", node.metadata.name)
        self._news()

    def _pool_changed(self, old: NodePool | None, new: NodePool | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            self._pools = pool_rules(self._mirror.node_pools)
            for node in self._mirror.nodes:
                self.books.changed("node", node.metadata.name)


def _reported(kind: Kind, name: str, held: Held | None, problem: str | None) -> Reported:
    match kind:
        case "nodePool":
            return reported_node_pool(name, cast("NodePool | None", held), problem)
        case "department":
            return reported_department(name, cast("Department | None", held), problem)
        case "project":
            return reported_project(name, cast("Project | None", held), problem)
        case "policy":
            return reported_policy(name, cast("Policy | None", held), problem)
        case _:
            return reported_access_rule(name, cast("AccessRule | None", held), problem)


def _encoded(reported: Reported) -> bytes:
    return reported.model_dump_json(exclude_none=True).encode()
