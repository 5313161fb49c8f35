"""Which kinds an API server serves, and where."""

from collections.abc import Collection

import msgspec

from aliquot.kube.client import ApiClient
from aliquot.kube.problems import NotFound
from aliquot.kube.resources import Resource

KindName = tuple[str, str]
"""API group and kind."""


class _Version(msgspec.Struct, frozen=True):
    version: str


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    versions: list[_Version] = []
    preferred_version: _Version = _Version("")


_CORE = _Group("", [_Version("v1")])


class _Groups(msgspec.Struct, frozen=True):
    groups: list[_Group] = []


class _Kind(msgspec.Struct, frozen=True):
    name: str
    kind: str
    namespaced: bool = True
    verbs: list[str] = []


class _Kinds(msgspec.Struct, frozen=True):
    resources: list[_Kind] = []


async def find_served(client: ApiClient, wanted: Collection[KindName]) -> dict[KindName, Resource]:
    """Where the objects of kinds are that are served and can be watched.

    Of several versions it is the one that the group prefers, or the first after it that has the kind.

    Raises:
        ApiProblem: the API server could not be asked.
    """
    names = {group for group, _ in wanted}
    groups = [_CORE, *(await client.read("/apis")).decode(_Groups).groups]
    found: dict[KindName, Resource] = {}
    for group in groups:
        if group.name in names:
            missing = {kind for name, kind in wanted if name == group.name}
            for version in _in_order(group):
                for resource in await _in_version(client, group.name, version):
                    if resource.kind in missing:
                        found[group.name, resource.kind] = resource
                        missing.discard(resource.kind)
                if not missing:
                    break
    return found


async def served_versions(client: ApiClient, group: str, kind: str) -> tuple[Resource, ...]:
    """Where the objects of a kind are that can be watched, in each version that has it; empty: it is not served.

    Raises:
        ApiProblem: the API server could not be asked.
    """
    versions = await _versions_of(client, group)
    found = [each for version in versions for each in await _in_version(client, group, version)]
    return tuple(resource for resource in found if resource.kind == kind)


async def served_names(client: ApiClient, group: str) -> frozenset[str]:
    """The names of what a group serves, subresources among them, in all its versions; empty: there is no such group.

    Raises:
        ApiProblem: the API server could not be asked.
    """
    found = [await _kinds_of(client, group, version) for version in await _versions_of(client, group)]
    return frozenset(each.name for kinds in found for each in kinds)


async def _versions_of(client: ApiClient, group: str) -> list[str]:
    try:
        return _in_order((await client.read(f"/apis/{group}")).decode(_Group))
    except NotFound:
        return []


def _in_order(group: _Group) -> list[str]:
    versions = [group.preferred_version.version, *(each.version for each in group.versions)]
    return list(dict.fromkeys(version for version in versions if version))


async def _in_version(client: ApiClient, group: str, version: str) -> list[Resource]:
    """The kinds of a version that can be watched; none where it has just gone."""
    return [
        Resource(group, version, each.name, each.kind, namespaced=each.namespaced)
        for each in await _kinds_of(client, group, version)
        if "/" not in each.name and {"list", "watch"} <= set(each.verbs)
    ]


async def _kinds_of(client: ApiClient, group: str, version: str) -> list[_Kind]:
    try:
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        return (await client.read(path)).decode(_Kinds).resources
    except NotFound:
        return []
