"""Rights and definitions that are taken away: the operator says what it lacks, and goes on once it is back."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from aliquot_lab import Cluster, FaultProxy
from tests.crashes.stage import Stage, tried

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]

_RIGHTS: Final = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/aliquot-operator"
_DEFINITION: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trainingworkloads.run.ai"
_PROJECTS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/projects.run.ai"


@contextmanager
def without(stage: Stage, path: str) -> Generator[dict[str, Any]]:
    """The object at the path is gone for a `with` block."""
    found = stage.get(path)
    stage.delete(path)
    stage.until(lambda: not stage.get(path), f"{path} to be gone")
    try:
        yield found
    finally:
        stage.delete(path)
        stage.until(lambda: not stage.get(path), f"what was in its place to be gone: {path}")
        put(stage.lab, path, found)


def put(cluster: Cluster, path: str, found: dict[str, Any]) -> None:
    """Create an object again as it was."""
    metadata = {key: found["metadata"][key] for key in ("name", "labels", "annotations") if key in found["metadata"]}
    manifest = {**found, "metadata": metadata, "status": None}
    cluster.api.call("POST", path.rpartition("/")[0], {key: value for key, value in manifest.items() if value})


def test_rights_that_are_taken_away_are_named_and_missed_no_longer_than_they_are_gone(
    stage: Stage, proxy: FaultProxy
) -> None:
    operator = stage.operator(proxy=proxy)
    before = operator.pid
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    stage.submit(namespace, "before")
    stage.until_phase(namespace, "before", "Running")
    with without(stage, _RIGHTS):
        proxy.cut_watches()  # those that are open are not asked again for their rights
        stage.until(lambda: operator.probe("readyz")[0] == 503, "the operator to miss something")

        def told() -> bool:
            _, said = operator.probe("readyz")
            return (
                "403" in said and "forbidden" in said and any(each in said for each in ("namespaces", "nodes", "pods"))
            )

        stage.until(told, "it to say what")
        stage.submit(namespace, "meanwhile", duration="100ms")
    operator.wait_ready()
    stage.until_phase(namespace, "meanwhile", "Completed")
    assert stage.status(namespace, "before")["phase"] == "Running"
    assert operator.pid == before


@pytest.mark.parametrize("what", ["no definition", "a definition of another version"])
def test_a_definition_that_is_not_there_at_the_start_is_named(stage: Stage, what: str) -> None:
    with without(stage, _DEFINITION) as definition:
        if what != "no definition":
            [version] = definition["spec"]["versions"]
            spec = {**definition["spec"], "versions": [{**version, "name": "v1alpha1"}]}
            put(stage.lab, _DEFINITION, {**definition, "spec": spec})
        operator = stage.operator(wait=False)

        def told() -> bool:
            status, said = operator.probe("readyz")
            return status == 503 and "trainingworkloads" in said and "404" in said

        stage.until(told, "the operator to say what is missing")
        before = operator.pid
    operator.wait_ready()
    assert operator.pid == before
    run_one(stage)


def test_a_definition_that_goes_takes_its_workloads_along_and_may_come_back(stage: Stage) -> None:
    # The garbage collector takes its time with kinds whose definition has only just come, and those that have gone.
    operator = stage.operator(settings={"ALIQUOT_WORKLOADS__LEFT_BEHIND_SECONDS": "2"})
    before = operator.pid
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    stage.submit(namespace, "all", gpu="8")
    stage.until_phase(namespace, "all", "Running")
    with without(stage, _DEFINITION):
        stage.until(lambda: "trainingworkloads" in operator.probe("readyz")[1], "the operator to say what is missing")
    # The node has no more GPUs: the first one's pod has to go.
    stage.until(tried(lambda: stage.submit(namespace, "again", gpu="8")), "workloads to be served again")
    stage.until_phase(namespace, "again", "Running")
    assert operator.pid == before


def test_a_definition_of_what_people_set_that_goes_for_longer_may_come_back(stage: Stage) -> None:
    operator = stage.operator()
    before = operator.pid
    with without(stage, _PROJECTS):
        stage.until(lambda: "projects" in operator.probe("readyz")[1], "the operator to say what is missing")
    operator.wait_ready()
    assert operator.pid == before
    run_one(stage)


def run_one(stage: Stage) -> None:
    """See that a workload runs."""
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    stage.submit(namespace, "job-1", duration="100ms")
    stage.until_phase(namespace, "job-1", "Completed")
