"""The RunaiConfig of a cluster, changed while the operator runs."""

from collections.abc import Generator
from typing import Any, Final

import pytest

from tests.crashes.stage import Stage
from tests.support.arena import PROJECTS

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]

CONFIGS: Final = "/apis/run.ai/v1/namespaces/runai/runaiconfigs"
_RULES: Final = "/apis/run.ai/v1alpha1/accessrules"


@pytest.fixture(autouse=True)
def no_config(stage: Stage) -> Generator[None]:
    """No RunaiConfig is left to other tests."""
    yield
    stage.delete(f"{CONFIGS}/runai")


def configure(stage: Stage, **spec: Any) -> None:
    """Have the RunaiConfig say this and nothing else."""
    path = f"{CONFIGS}/runai"
    if stage.get(path):
        stage.lab.api.call("PUT", path, {**stage.get(path), "spec": spec})
    else:
        config = {"apiVersion": "run.ai/v1", "kind": "RunaiConfig", "metadata": {"name": "runai"}, "spec": spec}
        stage.lab.api.call("POST", CONFIGS, config)


def until_understood(stage: Stage, status: str) -> str:
    """Wait until the RunaiConfig says whether all of it is followed; returns what it says."""
    found: list[dict[str, Any]] = []

    def told() -> bool:
        nonlocal found
        conditions = stage.get(f"{CONFIGS}/runai").get("status", {}).get("conditions", [])
        found = [each for each in conditions if (each["type"], each["status"]) == ("Understood", status)]
        return bool(found)

    stage.until(told, f"the RunaiConfig to be understood: {status}")
    return str(found[0]["message"])


def test_namespaces_are_the_administrators_as_long_as_it_says_so(stage: Stage) -> None:
    configure(stage, **{"project-controller": {"createNamespaces": False}})
    stage.operator()
    stage.nodes(1)
    own = f"runai-{stage.name}-a"
    path = f"{PROJECTS}/{stage.name}-a"
    quota = {"name": "a", "nodepool": stage.name, "resources": {"gpu": {"deserved": 1}}}
    spec = {"queues": [quota], "defaultNodePools": [stage.name]}
    stage.make(
        PROJECTS, {"apiVersion": "run.ai/v2", "kind": "Project", "metadata": {"name": f"{stage.name}-a"}, "spec": spec}
    )
    stage.until(lambda: stage.get(path).get("status", {}).get("phase") == "NamespaceMissing", "the project to wait")
    stage.lab.add_namespace(own)
    stage.until(lambda: stage.get(path)["status"]["phase"] == "NamespaceNotLabelled", "a label to be missed")
    assert f"kubectl label namespace {own} runai/queue={stage.name}-a" in stage.get(path)["status"]["message"]
    labels = {"runai/queue": f"{stage.name}-a"}
    stage.patch(f"/api/v1/namespaces/{own}", {"metadata": {"labels": labels}})
    stage.until(lambda: stage.get(path)["status"]["phase"] == "Ready", "the project to be ready")
    assert labels.items() <= stage.get(f"/api/v1/namespaces/{own}")["metadata"]["labels"].items()
    stage.submit(own, "first")
    stage.until_phase(own, "first", "Running")
    marked = {key for key in stage.get(f"/api/v1/namespaces/{own}")["metadata"]["labels"] if key.startswith("runai/")}
    assert marked == set(labels), "it was changed all the same"
    configure(stage, **{"project-controller": {"createNamespaces": True}})
    stage.project("b", deserved=1)


def test_what_pods_get_follows_it_and_then_the_settings_again(stage: Stage) -> None:
    stage.operator()
    stage.nodes(1, cpu="200")
    namespace = stage.project("a", deserved=8)

    def given(name: str) -> dict[str, dict[str, str]]:
        stage.submit(namespace, name)
        stage.until_phase(namespace, name, "Running")
        pod = stage.only_pod(namespace, name)
        resources: dict[str, dict[str, str]] = pod["spec"]["containers"][0]["resources"]
        return {of: {key: amount for key, amount in resources[of].items() if "/" not in key} for of in resources}

    before = given("before")
    assert before["requests"]["cpu"] == "1"
    factors = {"cpuDefaultRequestGpuFactor": "3", "cpuDefaultLimitGpuFactor": 5, "memoryDefaultRequestGpuFactor": "oh"}
    configure(stage, limitRange=factors, prometheus={"spec": {}})
    said = until_understood(stage, "False")
    assert "spec.limitRange.memoryDefaultRequestGpuFactor: 'oh' is not allowed" in said
    assert "spec.prometheus: unknown" in said
    during = given("during")
    assert (during["requests"]["cpu"], during["limits"]["cpu"]) == ("3", "5")
    assert during["requests"]["memory"] == before["requests"]["memory"]
    pod = stage.only_pod(namespace, "before")
    assert pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1"
    configure(stage)
    until_understood(stage, "True")
    assert given("after") == before


def test_access_rules_make_no_rolebindings_as_long_as_it_says_so(stage: Stage) -> None:
    configure(stage, **{"project-controller": {"createRoleBindings": False}})
    stage.operator()
    namespace = stage.project("a", deserved=1)
    name = f"{stage.name}-ada"
    given = {"subjectId": "ada", "subjectType": "user", "roleName": "Viewer", "scopeType": "project"}
    rule = {"apiVersion": "run.ai/v1alpha1", "kind": "AccessRule", "metadata": {"name": name}}
    stage.make(_RULES, {**rule, "spec": {**given, "scopeName": f"{stage.name}-a"}})

    def phase() -> tuple[str, str]:
        status = stage.get(f"{_RULES}/{name}").get("status", {})
        reasons = [each["reason"] for each in status.get("conditions", [])]
        return status.get("phase", ""), "".join(reasons)

    binding = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/runai-{name}"
    stage.until(lambda: phase() == ("NotReady", "RoleBindingsNotCreated"), "the rule to say that it gives nothing")
    assert stage.get(binding) == {}
    stage.delete(f"{CONFIGS}/runai")
    stage.until(lambda: phase() == ("Ready", "Ready"), "the rule to be in force")
    stage.until(lambda: stage.get(binding)["subjects"][0]["name"] == "ada", "the RoleBinding")
    stage.nodes(1)
    stage.submit(namespace, "first")
    stage.until_phase(namespace, "first", "Running")


def test_nodes_are_filled_as_it_says(stage: Stage) -> None:
    stage.operator()
    for node in stage.nodes(3, gpus=4):
        stage.until_node(node, "Ready")
    namespace = stage.project("a", deserved=8)

    def nodes(*names: str) -> set[str]:
        for name in names:
            stage.submit(namespace, name)
            stage.until_phase(namespace, name, "Running")
        return {stage.only_pod(namespace, name)["spec"]["nodeName"] for name in names}

    filled = nodes("a", "b")
    assert len(filled) == 1
    configure(stage, **{"runai-scheduler": {"placementStrategy": "spread"}})
    until_understood(stage, "True")
    assert len(nodes("c", "d") | filled) == 3
