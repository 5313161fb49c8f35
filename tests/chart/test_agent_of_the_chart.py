"""The agent as the chart installs it: on nodes with GPUs, with what it needs of them, and nothing else."""

from typing import Any

import pytest
import yaml

from aliquot.agent.settings import AgentSettings
from aliquot.settings import unknown_variables
from tests.chart.chart_support import CHART, COMPONENT, Helm, Manifest, only, without_definitions

pytestmark = pytest.mark.xdist_group("rendered chart")


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> list[Manifest]:
    return helm.template(
        without_definitions({"agent": {"enabled": True, "clusterId": "c1", "runtimeClassName": "nvidia"}})
    )


@pytest.fixture(scope="module")
def pod(rendered: list[Manifest]) -> dict[str, Any]:
    return only(rendered, "DaemonSet", "agent")["spec"]["template"]["spec"]


def test_it_is_off_by_default(helm: Helm) -> None:
    assert not [each for each in helm.template(without_definitions()) if each["kind"] == "DaemonSet"]


def test_what_it_may_do_on_its_node_is_this(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    assert pod["hostPID"] is True
    assert "hostNetwork" not in pod
    assert pod["securityContext"] == {"runAsUser": 0, "runAsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    [folder] = [volume for volume in pod["volumes"] if "hostPath" in volume]
    assert folder["hostPath"]["path"] == "/var/lib/kubelet/pod-resources"
    [mount] = [each for each in container["volumeMounts"] if each["name"] == folder["name"]]
    assert mount["readOnly"] is True


def test_what_it_may_do_in_the_cluster_is_this(rendered: list[Manifest]) -> None:
    roles = [each for each in rendered if each["kind"] in ("Role", "ClusterRole")]
    mine = [role["rules"] for role in roles if role["metadata"]["labels"].get(COMPONENT) == "agent"]
    assert mine == [[{"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["list", "watch", "patch"]}]]


def test_without_publishing_it_only_reads(helm: Helm) -> None:
    manifests = helm.template(without_definitions({"agent": {"enabled": True, "publish": False}}))
    [role] = [
        each for each in manifests if each["kind"] == "ClusterRole" and each["metadata"]["name"] == "aliquot-agent"
    ]
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]
    [container] = only(manifests, "DaemonSet", "agent")["spec"]["template"]["spec"]["containers"]
    assert {"name": "ALIQUOT_PUBLISHING__ENABLED", "value": "false"} in container["env"]


@pytest.mark.parametrize(
    ("agent", "kinds"),
    [
        ({"enabled": True}, ["nodes", "pods"]),
        ({"enabled": True, "publish": False}, []),
        ({"enabled": False}, []),
    ],
)
def test_policies_hold_it_to_what_it_has_to_change(helm: Helm, agent: dict[str, bool], kinds: list[str]) -> None:
    known = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
    arguments = ("template", "aliquot", str(CHART), "--namespace", "runai", "--api-versions", known)
    done = helm.run(*arguments, values=without_definitions({"agent": agent}))
    assert done.returncode == 0, done.stderr
    found = [each for each in yaml.safe_load_all(done.stdout) if each and each["kind"].startswith("Validating")]
    mine = [each for each in found if each["metadata"]["labels"].get(COMPONENT) == "agent"]
    policies = [each for each in mine if each["kind"] == "ValidatingAdmissionPolicy"]
    assert sorted(each["metadata"]["name"] for each in policies) == [f"aliquot-agent-{kind}" for kind in kinds]
    for policy in policies:
        [condition] = policy["spec"]["matchConditions"]
        assert condition["expression"] == "request.userInfo.username == 'system:serviceaccount:runai:aliquot-agent'"
        assert policy["spec"]["failurePolicy"] == "Fail"
    bindings = [each["spec"] for each in mine if each["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert {each["policyName"] for each in bindings} == {each["metadata"]["name"] for each in policies}
    assert all(each["validationActions"] == ["Deny"] for each in bindings)


def test_it_sees_all_gpus_and_knows_where_it_is(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["NVIDIA_VISIBLE_DEVICES"]["value"] == "all"
    assert variables["NVIDIA_DRIVER_CAPABILITIES"]["value"] == "utility"
    assert variables["ALIQUOT_IDENTITY__NODE"]["valueFrom"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}
    assert variables["ALIQUOT_IDENTITY__CLUSTER"]["value"] == "c1"
    assert unknown_variables(variables, AgentSettings) == []
    assert container["command"] == ["aliquot", "agent"]
    assert pod["runtimeClassName"] == "nvidia"
    settings = AgentSettings()
    assert container["ports"] == [{"name": "http", "containerPort": settings.server.port}]
    assert str(settings.sources.kubelet_socket.parent) in [each["mountPath"] for each in container["volumeMounts"]]


def test_prometheus_finds_it_also_where_it_is_not_ready(rendered: list[Manifest], pod: dict[str, Any]) -> None:
    service = only(rendered, "Service", "agent")
    labels = only(rendered, "DaemonSet", "agent")["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["spec"]["selector"].items() <= labels.items()
    assert service["spec"]["ports"] == [{"name": "http", "port": 9400, "targetPort": "http"}]
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
