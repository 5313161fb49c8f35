"""Every custom resource that a control plane can ask for is one that the API server takes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliquot.cluster.resources import kind_of, resource_of
from aliquot.cluster.sync.manifests import manifest, wanted
from aliquot.contracts.cluster_sync import DesiredQueue
from aliquot_lab import Cluster
from tests.cluster.sync.desires import CLUSTER, UNLIMITED, department, desired, pool, project, queues, rule

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("sync")]

NAME = st.from_regex(r"[a-z]([a-z0-9-]{0,55}[a-z0-9])?", fullmatch=True)
QUEUES = queues(NAME, st.floats(0, 1e12), st.floats(0, 1000), most=8)
LIMIT = st.one_of(st.none(), st.integers(1, 2**31))


@st.composite
def objects(draw: st.DrawFn) -> tuple[Any, ...]:
    quotas = draw(QUEUES)
    value = draw(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", fullmatch=True))
    placement = st.sampled_from(["spread", "binpack"])
    return (
        pool(),
        pool(
            draw(NAME),
            label_key="run.ai/type",
            label_value=value,
            over_provisioning_ratio=draw(st.integers(1, 20)),
            cpu_placement=draw(placement),
            gpu_placement=draw(placement),
        ),
        department(draw(NAME), *quotas),
        project(
            draw(NAME),
            *quotas,
            department=draw(NAME),
            namespace=draw(st.one_of(st.none(), NAME)),
            default_node_pools=tuple(draw(st.lists(NAME, max_size=3, unique=True))),
            training_types=tuple(draw(st.lists(NAME, max_size=3))),
            interactive_time_limit_seconds=draw(LIMIT),
            training_idle_seconds=draw(LIMIT),
        ),
        rule(
            draw(st.integers(1, 10**9).map(str)),
            subject_id=draw(st.emails()),
            subject_type=draw(st.sampled_from(["user", "app", "group"])),
            role_name=draw(st.sampled_from(["L1 researcher", "System administrator", "Viewer"])),
            scope_type=draw(st.sampled_from(["tenant", "cluster", "department", "project"])),
            scope_name=draw(st.text(min_size=1, max_size=60)),
        ),
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(objects())
def test_what_is_desired_is_taken(synced_lab: Cluster, given_: tuple[Any, ...]) -> None:
    for want in wanted(desired(*given_), "runai"):
        resource = resource_of(kind_of(want.place.model))
        whole = manifest(want, CLUSTER, resource.api_version)
        taken = synced_lab.api.call("POST", f"{resource.collection('')}?dryRun=All&fieldValidation=Strict", whole)
        assert taken["spec"].keys() == whole["spec"].keys()


def test_as_many_node_pools_as_there_may_be_are_taken(synced_lab: Cluster) -> None:
    most = {"gpu": UNLIMITED, "cpu": UNLIMITED, "memory": UNLIMITED}
    quotas = [DesiredQueue(node_pool=f"p{number}", **most) for number in range(200)]
    for want in wanted(desired(department("d", *quotas), project("p", *quotas)), "runai"):
        resource = resource_of(kind_of(want.place.model))
        whole = manifest(want, CLUSTER, resource.api_version)
        taken = synced_lab.api.call("POST", f"{resource.collection('')}?dryRun=All", whole)
        assert len(taken["spec"]["queues"]) == 200
