"""Policies in the database, and as they are shown."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Select

from aliquot.contracts.administrator_api.policies import PlaceQuery, PolicyPlace, PolicyQuery, PolicyScope, PolicyType
from aliquot.contracts.administrator_api.policies.answers import PolicyEntry, PolicyMeta, PolicyShown, PolicySync
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.access_rules.scopes import scope as find_scope
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.database import tables
from aliquot.controlplane.policies.documents import Document, Layer, effective
from aliquot.controlplane.projects.rules import namespace_of
from aliquot.controlplane.refusals import BadRequest, NotFound

_OF_PROJECTS: Final = ("department", "project")
"""Scopes that give a project a policy of its own in its cluster, rather than that of the whole cluster."""

Key = tuple[str, str | int | None]


class Where(NamedTuple):
    """A scope.

    Attributes:
        scope: what it is.
        id: its id.
        place: where it is.
    """

    scope: PolicyScope
    id: str
    place: Place


def where(permit: Permit, given: PolicyPlace | PlaceQuery) -> Where:
    """The scope that a request names.

    Raises:
        BadRequest: the id that goes with the scope is missing, or others contradict it.
        NotFound: the tenant has no such scope.
    """
    ids = {"cluster": given.cluster_id, "department": given.department_id, "project": given.project_id}
    wanted = permit.holder.tenant_id if given.scope == "tenant" else ids[given.scope]
    if wanted is None:
        raise BadRequest(f"Bad request - {given.scope}Id: missing: needed, because scope is {given.scope}")
    try:
        place = find_scope(permit, given.scope, str(wanted)).place
    except NotFound:
        raise NotFound(details=f"{given.scope}Id: {wanted!r} is not allowed: there is no such {given.scope}") from None
    own = {"cluster": place.cluster_id, "department": place.department_id, "project": place.project_id}
    for name, said in ids.items():
        if said is not None and own[name] is not None and str(own[name]) != str(said):
            raise BadRequest(f"Bad request - {name}Id: {said!r} is not allowed: the {given.scope} is in another one")
    return Where(given.scope, str(wanted), place)


class Scoped:
    """Policies for workloads of one type, which are found by their scopes.

    Args:
        rows: they.
    """

    def __init__(self, rows: Iterable[tables.Policy]) -> None:
        self._rows = {_key(row.scope, _place(row)): row for row in rows}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._rows)

    def of(self, scope: Where) -> tables.Policy | None:
        """The policy of a scope itself."""
        return self._rows.get(_key(scope.scope, scope.place))

    def without(self, row: tables.Policy | None) -> "Scoped":
        """All but one."""
        return Scoped(each for each in self._rows.values() if each is not row)

    def and_(self, row: tables.Policy) -> "Scoped":
        """All, and one more."""
        return Scoped([*self._rows.values(), row])

    def on_the_way(self, place: Place) -> list[tables.Policy]:
        """Those that count in a place, the widest scope first."""
        found = (self._rows.get(_key(scope, place)) for scope in _scopes_of(place))
        return [row for row in found if row is not None]

    def within(self, place: Place) -> list[tables.Policy]:
        """Those whose scopes are in a place, its own too."""
        return [row for row in self._rows.values() if _is_in(row, place)]


def of_type(permit: Permit, workloads: PolicyType) -> Scoped:
    """All policies of the tenant for workloads of a type: what counts somewhere is made of those, whoever asks."""
    return Scoped(permit.rows(permit.select_whole(tables.Policy).where(tables.Policy.type == workloads)))


def in_cluster(
    same: Scoped, cluster_id: str, projects: Iterable[tables.Project]
) -> Iterator[tuple[str | None, Sequence[tables.Policy]]]:
    """Where a cluster has policies for workloads of one type, and which count there, the widest scope first.

    Args:
        same: the policies.
        cluster_id: which cluster.
        projects: its projects.

    Returns:
        Namespace of a project, or None: for all that have none of their own.
    """
    if way := same.on_the_way(Place(cluster_id)):
        yield None, way
    for project in projects if same else ():
        way = same.on_the_way(Place(cluster_id, project.department_id, project.id))
        if any(row.scope in _OF_PROJECTS for row in way):
            yield namespace_of(project.name, project.requested_namespace), way


def layer(row: tables.Policy) -> Layer:
    """What a policy says, and the scope that says so."""
    return Layer(_source(row), row.document)


def selected(permit: Permit, query: PolicyQuery) -> Select[Any]:
    """The policies that the caller may see, and asks for; the oldest first."""
    found = permit.select(tables.Policy)
    wanted = {
        tables.Policy.type: query.workload_type,
        tables.Policy.scope: query.scope,
        tables.Policy.cluster_id: query.cluster_id,
    }
    for column, value in wanted.items():
        if value is not None:
            found = found.where(column == value)
    for column, written in (
        (tables.Policy.department_id, query.department_id),
        (tables.Policy.project_id, query.project_id),
    ):
        if written is not None:
            found = found.where(column == (int(written) if written.isascii() and written.isdigit() else -1))
    return found.order_by(tables.Policy.created_ms, tables.Policy.id)


def shown(row: tables.Policy | None, way: Sequence[tables.Policy], status: PolicySync | None) -> PolicyShown:
    """What counts in a scope.

    Args:
        row: the policy of the scope itself.
        way: all that count there, the widest scope first.
        status: how the policy of the scope itself is doing.
    """
    return PolicyShown(
        meta=None if row is None else meta(row),
        policy=None if row is None else row.document,
        effective=effective([layer(each) for each in way], sources=True),
        effective_updated_at=from_milliseconds(max(each.updated_ms for each in way)) if way else None,
        status=status,
    )


def entry(row: tables.Policy, status: PolicySync) -> PolicyEntry:
    """A policy as lists have it."""
    return PolicyEntry(type=cast("PolicyType", row.type), meta=meta(row), status=status)


def meta(row: tables.Policy) -> PolicyMeta:
    """What a policy is called, where it counts, and whose it is."""
    return PolicyMeta(
        id=row.id,
        name=row.name,
        scope=cast("PolicyScope", row.scope),
        tenant_id=row.tenant_id,
        cluster_id=row.cluster_id,
        department_id=None if row.department_id is None else str(row.department_id),
        project_id=row.project_id,
        created_by=row.created_by,
        created_at=from_milliseconds(row.created_ms),
        updated_by=row.updated_by,
        updated_at=from_milliseconds(row.updated_ms),
    )


def told_of(row: tables.Policy) -> Document:
    """A policy as audit records keep it."""
    return {**meta(row).model_dump(mode="json", by_alias=True), "type": row.type, "policy": row.document}


def _scopes_of(place: Place) -> Sequence[str]:
    found = ["tenant"]
    for scope, own in (
        ("cluster", place.cluster_id),
        ("department", place.department_id),
        ("project", place.project_id),
    ):
        if own is not None:
            found.append(scope)
    return found


def _key(scope: str, place: Place) -> Key:
    ids = {"cluster": place.cluster_id, "department": place.department_id, "project": place.project_id}
    return scope, ids.get(scope)


def _place(row: tables.Policy) -> Place:
    return Place(row.cluster_id, row.department_id, row.project_id)


def _is_in(row: tables.Policy, place: Place) -> bool:
    if place.project_id is not None:
        return row.project_id == place.project_id
    if place.department_id is not None:
        return row.department_id == place.department_id
    return place.cluster_id is None or row.cluster_id == place.cluster_id


def _source(row: tables.Policy) -> Document:
    ids = {
        "clusterId": row.cluster_id if row.scope == "cluster" else None,
        "departmentId": str(row.department_id) if row.scope == "department" else None,
        "projectId": row.project_id if row.scope == "project" else None,
    }
    return {"scope": row.scope, **{name: value for name, value in ids.items() if value is not None}}
