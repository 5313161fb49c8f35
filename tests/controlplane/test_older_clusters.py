"""What the older surface says of clusters themselves: their StorageClasses, and how they are installed."""

from typing import Any

import pytest
import yaml

from aliquot.contracts.cluster_sync import MOST_OBJECTS, MOST_STORAGE_CLASSES, Gone, ReportedStorageClass
from tests.controlplane.cluster import WELL, Cluster, cluster_of, node
from tests.controlplane.plane import Plane, Tenant


@pytest.fixture
def tenant(planes: tuple[Plane, Plane]) -> Tenant:
    return planes[0].tenant()


@pytest.fixture
def cluster(tenant: Tenant) -> Cluster:
    return cluster_of(tenant)


def _path(cluster: Cluster, rest: str) -> str:
    return f"/v1/k8s/clusters/{cluster.uuid}/{rest}"


def _classes(tenant: Tenant, cluster: Cluster) -> list[dict[str, Any]]:
    return tenant.admin.done("GET", _path(cluster, "storage-classes"))


def _named(*names: str) -> list[ReportedStorageClass]:
    return [ReportedStorageClass(name=name) for name in names]


def test_storage_classes_are_those_that_the_cluster_has(tenant: Tenant, cluster: Cluster) -> None:
    assert _classes(tenant, cluster) == []
    other = cluster_of(tenant)
    other.report(*_named("theirs"))
    cluster.report(node("n1"), *_named("slow"), ReportedStorageClass(name="fast", is_default=True), cluster=WELL)
    assert _classes(tenant, cluster) == [
        {"storage_class_name": "fast", "is_default": True},
        {"storage_class_name": "slow", "is_default": False},
    ]
    cluster.report(*_named("fast"), gone=(Gone(kind="storageClass", name="slow"),))
    assert _classes(tenant, cluster) == [{"storage_class_name": "fast", "is_default": False}]
    cluster.begin_anew()
    cluster.report(*_named("new"))
    assert [each["storage_class_name"] for each in _classes(tenant, cluster)] == ["fast", "new"]
    cluster.report(complete=("storageClass",))
    assert [each["storage_class_name"] for each in _classes(tenant, cluster)] == ["new"]
    assert [each["storage_class_name"] for each in _classes(tenant, other)] == ["theirs"]
    assert [each["name"] for each in tenant.admin.done("GET", f"/api/v1/clusters/{cluster.uuid}/nodes")["nodes"]] == [
        "n1"
    ]


def test_of_a_cluster_that_never_stops_naming_storage_classes_only_so_many_are_kept(
    tenant: Tenant, cluster: Cluster
) -> None:
    names = [f"class-{number:05}" for number in range(MOST_STORAGE_CLASSES + MOST_OBJECTS)]
    for start in range(0, len(names), MOST_OBJECTS):
        cluster.report(*_named(*names[start : start + MOST_OBJECTS]))
    assert [each["storage_class_name"] for each in _classes(tenant, cluster)] == names[:MOST_STORAGE_CLASSES]
    cluster.report(ReportedStorageClass(name=names[0], is_default=True), *_named(names[-1]))
    shown = _classes(tenant, cluster)
    assert (len(shown), shown[0]["is_default"]) == (MOST_STORAGE_CLASSES, True)


def test_the_install_file_has_the_values_of_the_install_command(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", "/api/v1/clusters", {"name": "prod", "domain": "https://prod.example.com"})
    path = f"/v1/k8s/clusters/{made['uuid']}/installfile"
    info = tenant.admin.done("GET", f"/api/v1/clusters/{made['uuid']}/cluster-install-info", version="2.18")
    expected = {
        "controlPlane": {"url": tenant.plane.services.url, "clientSecret": info["clientSecret"]},
        "cluster": {"uid": made["uuid"], "url": "https://prod.example.com"},
    }
    assert tenant.admin.done("GET", path, format="json") == expected
    for query in ({}, {"cloud": "op"}, {"format": "yaml", "clusterip": "10.0.0.1,10.0.0.2"}):
        answer = tenant.admin.call("GET", path, **query)
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "application/yaml")
        assert yaml.safe_load(answer.text) == expected
    for query in ({"cloud": "mars"}, {"format": "xml"}):
        assert next(iter(query)) in tenant.admin.refused(400, "GET", path, **query)
    bare = cluster_of(tenant)
    assert "url" not in tenant.admin.done("GET", _path(bare, "installfile"), format="json")["cluster"]
