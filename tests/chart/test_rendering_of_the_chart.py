"""What the chart renders, over a matrix of values: what must hold for all of them, and what single values change."""

import json
import re
from collections import Counter
from typing import Any

import pytest
import yaml

from aliquot import names
from aliquot.cluster.webhook.questions import REVIEWED
from aliquot.cluster.webhook.server import PATH
from aliquot.settings import Settings, unknown_variables
from tests.chart.chart_support import (
    CHART,
    COMPONENT,
    CRDS,
    PROJECT_ROLES,
    ROOT,
    Helm,
    Manifest,
    camel,
    groups_of_settings,
    only,
    without_definitions,
)

# Rendered once, and not once in each worker.
pytestmark = pytest.mark.xdist_group("rendered chart")


def changed(default: object, schema: dict[str, Any]) -> object:
    """A value for a setting that is allowed and not its default."""
    if "enum" in schema:
        return next(choice for choice in schema["enum"] if choice != default)
    if "examples" in schema:
        return schema["examples"][0]
    if isinstance(default, str):
        return f"{default or 'some'}-2"
    if isinstance(default, bool):
        return not default
    assert isinstance(default, int | float)
    return default * 2 + 1


EVERY_SETTING: dict[str, dict[str, object]] = {
    group: {
        camel(name): changed(schema["default"], schema)
        for name, schema in model.model_json_schema()["properties"].items()
    }
    for group, model in groups_of_settings().items()
}

UID = "71f69d83-ba66-4822-adf5-55ce55efd210"

CASES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "no operator": {"replicas": 0},
    "everything switched off": {
        "priorityClasses": {"enabled": False},
        "userRoles": {"enabled": False},
        "serviceAccount": {"create": False, "name": "mine"},
        "podDisruptionBudget": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "webhook": {"enabled": False},
    },
    "a webhook outside of the cluster": {"replicas": 0, "webhook": {"url": "https://10.0.0.1:9443/validate"}},
    "a certificate from cert-manager": {"webhook": {"certManager": {"enabled": True}, "timeoutSeconds": 10}},
    "a certificate from an issuer": {
        "webhook": {"certManager": {"enabled": True, "issuerRef": {"kind": "ClusterIssuer", "name": "internal"}}}
    },
    "everything switched on": {"serviceMonitor": {"enabled": True, "interval": "1m", "labels": {"team": "gpu"}}},
    "an image by digest": {"image": {"repository": "registry.example.com/aliquot", "digest": f"sha256:{'0' * 64}"}},
    "an image by tag, with a secret": {"image": {"tag": "1.2.3"}, "imagePullSecrets": [{"name": "registry"}]},
    "every setting": {"settings": EVERY_SETTING},
    "the platform chooses the user": {"runAsUser": None},
    "a place of its own": {
        "priorityClassName": "",
        "nodeSelector": {"role": "infra"},
        "tolerations": [{"key": "infra", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
    },
    "no resources": {"resources": None},
    "labels that are ours already": {
        "podLabels": {"app.kubernetes.io/name": "another", "team": "gpu"},
        "podAnnotations": {"note": "true"},
        "serviceMonitor": {"enabled": True, "labels": {"app.kubernetes.io/name": "another"}},
    },
    "a control plane": {
        "controlPlane": {
            "url": "https://aliquot.example.com:8443/",
            "clientSecret": "s3cret",
            "caBundle": "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n",
        },
        "cluster": {"uid": UID, "url": "https://gpu.example.com/"},
    },
    "a tight network": {
        "networkPolicy": {
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "apiServer": {"ports": [6443], "cidrs": ["10.0.0.10/32"]},
        }
    },
}


@pytest.fixture(scope="module", params=CASES.values(), ids=list(CASES))
def rendered(request: pytest.FixtureRequest, helm: Helm) -> list[Manifest]:
    return helm.template(without_definitions(request.param))


@pytest.fixture(scope="module")
def standard(helm: Helm) -> list[Manifest]:
    return helm.template(without_definitions())


def components(manifests: list[Manifest]) -> list[str]:
    """What runs."""
    return [item["metadata"]["labels"][COMPONENT] for item in manifests if item["kind"] == "Deployment"]


def pod_of(manifests: list[Manifest], component: str = "operator") -> dict[str, Any]:
    return only(manifests, "Deployment", component)["spec"]["template"]["spec"]


def container_of(manifests: list[Manifest], component: str = "operator") -> dict[str, Any]:
    [container] = pod_of(manifests, component)["containers"]
    return container


def environment_of(manifests: list[Manifest], component: str = "operator") -> dict[str, dict[str, Any]]:
    variables = container_of(manifests, component)["env"]
    assert max(Counter(variable["name"] for variable in variables).values()) == 1
    return {variable["name"]: variable for variable in variables}


class TestWhateverTheValues:
    def test_no_two_objects_have_the_same_kind_and_name(self, rendered: list[Manifest]) -> None:
        count = Counter((manifest["kind"], manifest["metadata"]["name"]) for manifest in rendered)
        assert max(count.values()) == 1

    def test_every_object_says_what_it_belongs_to(self, rendered: list[Manifest]) -> None:
        for manifest in rendered:
            labels = manifest["metadata"]["labels"]
            assert labels["app.kubernetes.io/name"] == "aliquot", manifest["metadata"]["name"]
            assert labels["app.kubernetes.io/managed-by"] == "Helm"

    def test_objects_in_a_namespace_are_in_the_releases(self, rendered: list[Manifest]) -> None:
        cluster_wide = {
            "ClusterRole",
            "ClusterRoleBinding",
            "Namespace",
            "PriorityClass",
            "ValidatingWebhookConfiguration",
        }
        for manifest in rendered:
            expected = None if manifest["kind"] in cluster_wide else "runai"
            assert manifest["metadata"].get("namespace") == expected, manifest["kind"]

    def test_the_container_has_no_more_than_it_needs(self, rendered: list[Manifest]) -> None:
        for component in components(rendered):
            pod, container = pod_of(rendered, component), container_of(rendered, component)
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
            kinds = [set(volume) - {"name"} for volume in pod["volumes"]]
            assert kinds[:1] == [{"emptyDir"}]
            assert kinds[1:] in ([], [{"projected"}])

    def test_the_kubelet_asks_the_doors_that_a_process_has(self, rendered: list[Manifest]) -> None:
        doors = {"operator": {"http": 8080}, "webhook": {"http": 8080, "https": 9443}}
        for component in components(rendered):
            container = container_of(rendered, component)
            assert {port["name"]: port["containerPort"] for port in container["ports"]} == doors[component]
            assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
            assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
            assert container["command"] == ["aliquot", component]

    def test_every_variable_is_a_setting(self, rendered: list[Manifest]) -> None:
        for component in components(rendered):
            variables = environment_of(rendered, component)
            assert all(name.startswith("ALIQUOT_") and "__" in name for name in variables)
            assert unknown_variables(variables) == []

    def test_a_process_knows_its_name_its_namespace_and_its_port(self, rendered: list[Manifest]) -> None:
        for component in components(rendered):
            variables = environment_of(rendered, component)
            paths = {name: variables[name]["valueFrom"]["fieldRef"]["fieldPath"] for name in list(variables)[:2]}
            assert paths == {
                "ALIQUOT_IDENTITY__NAME": "metadata.name",
                "ALIQUOT_IDENTITY__NAMESPACE": "metadata.namespace",
            }
            assert variables["ALIQUOT_SERVER__PORT"]["value"] == "8080"

    def test_the_kubelet_adds_no_variables_named_after_our_services(self, rendered: list[Manifest]) -> None:
        assert {pod_of(rendered, component)["enableServiceLinks"] for component in components(rendered)} == {False}

    def test_the_image_is_a_version(self, rendered: list[Manifest]) -> None:
        [image] = {container_of(rendered, component)["image"] for component in components(rendered)}
        assert re.fullmatch(r"[^@]+(:\d+\.\d+\.\d+|@sha256:[0-9a-f]{64})", image), image

    def test_what_selects_the_pods_fits_their_labels(self, rendered: list[Manifest]) -> None:
        for component in components(rendered):
            deployment, service = only(rendered, "Deployment", component), only(rendered, "Service", component)
            labels = deployment["spec"]["template"]["metadata"]["labels"].items()
            selectors = [deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]]
            for manifest in rendered:
                if manifest["kind"] == "ServiceMonitor":
                    found = manifest["spec"]["selector"]["matchLabels"].items()
                    assert found <= service["metadata"]["labels"].items()
                if manifest["metadata"]["labels"].get(COMPONENT) != component:
                    continue
                if manifest["kind"] == "PodDisruptionBudget":
                    selectors.append(manifest["spec"]["selector"]["matchLabels"])
                if manifest["kind"] == "NetworkPolicy":
                    selectors.append(manifest["spec"]["podSelector"]["matchLabels"])
            for selector in selectors:
                assert selector.items() <= labels
                assert selector[COMPONENT] == component

    def test_the_pods_run_as_the_account_that_has_the_rights(self, rendered: list[Manifest]) -> None:
        for component in components(rendered):
            account = pod_of(rendered, component)["serviceAccountName"]
            for kind in ("ClusterRoleBinding", "RoleBinding"):
                subjects = only(rendered, kind, component)["subjects"]
                assert subjects == [{"kind": "ServiceAccount", "name": account, "namespace": "runai"}]
            created = [
                item["metadata"]["name"]
                for item in rendered
                if item["kind"] == "ServiceAccount" and item["metadata"]["labels"][COMPONENT] == component
            ]
            assert created in ([account], [])

    def test_nobody_ever_waits_for_the_webhook_but_who_writes_what_is_ours(self, rendered: list[Manifest]) -> None:
        for manifest in rendered:
            for webhook in manifest.get("webhooks", ()):
                assert webhook["failurePolicy"] == "Ignore"
                assert webhook["timeoutSeconds"] <= 10
                assert webhook["sideEffects"] == "None"
                conditions = {condition["name"] for condition in webhook["matchConditions"]}
                assert "not-by-aliquot" in conditions
                for rule in webhook["rules"]:
                    if rule["apiGroups"] == [""]:
                        assert (rule["resources"], rule["operations"]) == (["pods"], ["CREATE"])
                        selector = {"matchExpressions": [{"key": names.QUEUE_LABEL, "operator": "Exists"}]}
                        assert webhook["namespaceSelector"] == selector
                        assert "scheduled-by-aliquot" in conditions
                    else:
                        assert set(rule["apiGroups"]) <= {names.RUN_AI_GROUP, names.SCHEDULING_GROUP}
                        assert not any("/" in resource or "*" in resource for resource in rule["resources"])
                        assert "says-something-new" in conditions


@pytest.fixture(scope="module")
def definitions(helm: Helm) -> dict[str, Manifest]:
    found = [item for item in helm.template() if item["kind"] == "CustomResourceDefinition"]
    return {item["metadata"]["name"]: item for item in found}


class TestDefinitions:
    @pytest.mark.parametrize("path", sorted(CRDS.glob("*.yaml")), ids=lambda path: path.stem)
    def test_each_is_there_as_generated_and_is_kept_on_uninstall(
        self, path: Any, definitions: dict[str, Manifest]
    ) -> None:
        generated = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        rendered = definitions[generated["metadata"]["name"]]
        assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        assert rendered["metadata"]["labels"]["app.kubernetes.io/name"] == "aliquot"
        assert rendered["spec"] == generated["spec"]

    def test_there_are_no_others(self, definitions: dict[str, Manifest]) -> None:
        assert len(definitions) == len(list(CRDS.glob("*.yaml")))

    def test_they_can_be_left_to_others(self, standard: list[Manifest]) -> None:
        assert "CustomResourceDefinition" not in {item["kind"] for item in standard}


class TestValues:
    def test_every_setting_arrives(self, helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
        manifests = helm.template(without_definitions({"settings": EVERY_SETTING}))
        for name, variable in environment_of(manifests).items():
            if "value" in variable:
                monkeypatch.setenv(name, variable["value"])
        settings = Settings()
        for group, values in EVERY_SETTING.items():
            arrived = getattr(settings, group).model_dump()
            assert {camel(name): value for name, value in arrived.items()} == values

    def test_large_numbers_stay_whole(self, helm: Helm) -> None:
        manifests = helm.template(without_definitions({"settings": {"workloads": {"memoryMibPerGpu": 4_000_000}}}))
        assert environment_of(manifests)["ALIQUOT_WORKLOADS__MEMORY_MIB_PER_GPU"]["value"] == "4000000"

    def test_settings_that_nobody_gave_are_left_to_the_operator(self, standard: list[Manifest]) -> None:
        assert len(environment_of(standard)) == 3

    def test_the_right_to_the_lease_follows_its_name(self, helm: Helm) -> None:
        manifests = helm.template(without_definitions({"settings": {"leadership": {"leaseName": "another"}}}))
        bound = [rule["resourceNames"] for rule in only(manifests, "Role")["rules"] if "resourceNames" in rule]
        assert ["another"] in bound

    def test_the_webhook_has_the_settings_of_the_operator(self, helm: Helm) -> None:
        """What a workload gets by default decides whether it is right: both must go by the same."""
        manifests = helm.template(without_definitions({"settings": EVERY_SETTING}))
        ours, theirs = environment_of(manifests, "webhook"), environment_of(manifests)
        assert theirs.items() <= ours.items()
        assert set(ours) - set(theirs) == {
            f"ALIQUOT_WEBHOOK__{name}".upper()
            for name in ("port", "host_name", "secret_name", "configuration_name", "makes_certificates")
        }

    def test_the_operator_is_told_of_the_control_plane_and_nobody_else_is(self, helm: Helm) -> None:
        manifests = helm.template(without_definitions(CASES["a control plane"]))
        told = {
            name.removeprefix("ALIQUOT_CONTROL_PLANE__"): variable["value"]
            for name, variable in environment_of(manifests).items()
            if name.startswith("ALIQUOT_CONTROL_PLANE__")
        }
        folder = "/etc/aliquot/control-plane"
        assert told == {
            "URL": "https://aliquot.example.com:8443/",
            "CLUSTER_UUID": UID,
            "CLUSTER_URL": "https://gpu.example.com/",
            "CLIENT_SECRET_FILE": f"{folder}/clientSecret",
            "CA_FILE": f"{folder}/ca.pem",
        }
        assert not any("CONTROL_PLANE" in name for name in environment_of(manifests, "webhook"))
        sources = pod_of(manifests)["volumes"][1]["projected"]["sources"]
        secret, authorities = only(manifests, "Secret"), only(manifests, "ConfigMap")
        assert [source[kind]["name"] for source, kind in zip(sources, ("secret", "configMap"), strict=True)] == [
            secret["metadata"]["name"],
            authorities["metadata"]["name"],
        ]
        assert secret["stringData"] == {"clientSecret": "s3cret"}
        assert authorities["data"] == {"ca.pem": CASES["a control plane"]["controlPlane"]["caBundle"]}
        assert "s3cret" not in str([item for item in manifests if item["kind"] != "Secret"])

    @pytest.mark.parametrize(
        ("plane", "port"),
        [
            ({"url": "https://aliquot.example.com"}, 443),
            ({"url": "http://aliquot.example.com/"}, 80),
            ({"url": "https://aliquot.example.com:8443/a"}, 8443),
            ({"url": "https://aliquot.example.com", "proxy": "http://proxy:3128"}, 3128),
        ],
        ids=str,
    )
    def test_the_way_to_the_control_plane_is_open(self, plane: dict[str, str], port: int, helm: Helm) -> None:
        values = {"controlPlane": {**plane, "existingSecret": "mine"}, "cluster": {"uid": UID}}
        manifests = helm.template(without_definitions(values))
        assert [item["metadata"]["name"] for item in manifests if item["kind"] == "Secret"] == ["aliquot-webhook"]
        assert pod_of(manifests)["volumes"][1]["projected"]["sources"][0]["secret"]["name"] == "mine"
        ways = [rule["ports"] for rule in only(manifests, "NetworkPolicy")["spec"]["egress"]]
        assert [{"port": port, "protocol": "TCP"}] in ways
        assert len(only(manifests, "NetworkPolicy", "webhook")["spec"]["egress"]) == len(ways) - 1

    def test_a_user_is_a_number_or_left_to_the_platform(self, helm: Helm) -> None:
        context = pod_of(helm.template(without_definitions({"runAsUser": 1000700000})))["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (1000700000, 1000700000)
        context = pod_of(helm.template(without_definitions({"runAsUser": None})))["securityContext"]
        assert not {"runAsUser", "runAsGroup"} & context.keys()

    def test_a_digest_wins_over_a_tag(self, helm: Helm) -> None:
        image = {"repository": "registry.example.com:5000/aliquot", "tag": "1.0.0", "digest": f"sha256:{'a' * 64}"}
        container = container_of(helm.template(without_definitions({"image": image})))
        assert container["image"] == f"registry.example.com:5000/aliquot@sha256:{'a' * 64}"

    def test_without_a_tag_the_image_is_of_the_charts_version(self, standard: list[Manifest]) -> None:
        project = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        assert project is not None
        assert chart["version"] == chart["appVersion"] == project[1]
        assert container_of(standard)["image"] == f"aliquot:{project[1]}"

    def test_another_releases_name_is_part_of_every_name(self, helm: Helm) -> None:
        manifests = helm.template(without_definitions({"priorityClasses": {"enabled": False}}), release="x" * 53)
        for manifest in manifests:
            name = manifest["metadata"]["name"]
            if name in (*PROJECT_ROLES, names.RESERVATION_NAMESPACE):  # the operator knows them by these names
                continue
            assert name.startswith("x" * 50)
            assert len(name) <= 63

    def test_replicas_keep_apart_and_drains_take_one_at_a_time(self, standard: list[Manifest]) -> None:
        deployment = only(standard, "Deployment")
        assert deployment["spec"]["replicas"] == 2
        [nodes, zones] = pod_of(standard)["affinity"]["podAntiAffinity"][
            "preferredDuringSchedulingIgnoredDuringExecution"
        ]
        assert (nodes["weight"], nodes["podAffinityTerm"]["topologyKey"]) == (100, "kubernetes.io/hostname")
        assert (zones["weight"], zones["podAffinityTerm"]["topologyKey"]) == (50, "topology.kubernetes.io/zone")
        selector = deployment["spec"]["selector"]
        assert nodes["podAffinityTerm"]["labelSelector"] == zones["podAffinityTerm"]["labelSelector"] == selector
        assert only(standard, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1

    def test_a_pods_affinity_is_added_to_keeping_apart(self, helm: Helm) -> None:
        affinity = pod_of(helm.template(without_definitions(CASES["a place of its own"])))["affinity"]
        assert affinity.keys() == {"nodeAffinity", "podAntiAffinity"}

    def test_the_network_lets_in_metrics_and_out_only_to_the_api_server_and_dns(self, standard: list[Manifest]) -> None:
        policy = only(standard, "NetworkPolicy")["spec"]
        tcp, dns = policy["egress"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        assert policy["ingress"] == [{"ports": [{"port": 8080, "protocol": "TCP"}]}]
        assert tcp == {"ports": [{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]}
        assert dns == {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}

    def test_the_network_can_be_tightened(self, helm: Helm) -> None:
        values = CASES["a tight network"]
        policy = only(helm.template(without_definitions(values)), "NetworkPolicy")["spec"]
        assert policy["ingress"][0]["from"] == values["networkPolicy"]["metricsFrom"]
        assert policy["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.0.0.10/32"}}]
        assert policy["egress"][0]["ports"] == [{"port": 6443, "protocol": "TCP"}]

    def test_the_network_lets_the_api_servers_questions_in(self, standard: list[Manifest]) -> None:
        operator, webhook = (only(standard, "NetworkPolicy", name)["spec"] for name in ("operator", "webhook"))
        assert webhook["ingress"] == [*operator["ingress"], {"ports": [{"port": 9443, "protocol": "TCP"}]}]
        assert webhook["egress"] == operator["egress"]

    def test_priority_classes_never_preempt_by_themselves(self, standard: list[Manifest]) -> None:
        classes = {item["metadata"]["name"]: item for item in standard if item["kind"] == "PriorityClass"}
        assert {name: item["value"] for name, item in classes.items()} == {
            names.TRAIN_PRIORITY_CLASS: names.DEFAULT_TRAIN_PRIORITY,
            "interactive-preemptible": 75,
            "build-preemptible": 75,
            "build": names.NON_PREEMPTIBLE_FROM_PRIORITY,
            "inference": 125,
        }
        assert {item["preemptionPolicy"] for item in classes.values()} == {"Never"}
        assert not any(item["globalDefault"] for item in classes.values())

    def test_what_is_switched_off_is_not_rendered(self, helm: Helm) -> None:
        kinds = {item["kind"] for item in helm.template(without_definitions(CASES["everything switched off"]))}
        assert kinds == {
            "ClusterRole",
            "ClusterRoleBinding",
            "Role",
            "RoleBinding",
            "Service",
            "Deployment",
            "Namespace",
        }


def variables_of_the_webhook(manifests: list[Manifest]) -> dict[str, str]:
    """What it is told of its place."""
    prefix = "ALIQUOT_WEBHOOK__"
    return {
        name.removeprefix(prefix): variable["value"]
        for name, variable in environment_of(manifests, "webhook").items()
        if name.startswith(prefix)
    }


def called(manifests: list[Manifest]) -> dict[str, Any]:
    """Where the API server calls."""
    configuration = only(manifests, "ValidatingWebhookConfiguration", "webhook")
    [client] = {json.dumps(webhook["clientConfig"]) for webhook in configuration["webhooks"]}
    return json.loads(client)


class TestWebhook:
    def test_it_is_called_by_the_name_for_which_it_has_a_certificate(self, standard: list[Manifest]) -> None:
        service = called(standard)["service"]
        told = variables_of_the_webhook(standard)
        assert told["HOST_NAME"] == f"{service['name']}.{service['namespace']}.svc"
        [port] = [port for port in only(standard, "Service", "webhook")["spec"]["ports"] if port["name"] == "https"]
        assert (service["port"], service["path"]) == (port["port"], PATH)
        assert int(told["PORT"]) == 9443
        assert port["targetPort"] == "https"

    def test_it_keeps_its_certificate_in_a_secret_that_is_there_and_empty(self, standard: list[Manifest]) -> None:
        secret = only(standard, "Secret", "webhook")
        told = variables_of_the_webhook(standard)
        assert (secret["type"], "data" in secret) == ("Opaque", False)
        assert told["SECRET_NAME"] == secret["metadata"]["name"]
        configuration = only(standard, "ValidatingWebhookConfiguration", "webhook")
        assert told["CONFIGURATION_NAME"] == configuration["metadata"]["name"]
        assert told["MAKES_CERTIFICATES"] == "true"
        assert "annotations" not in configuration["metadata"]

    def test_the_api_server_asks_about_what_is_reviewed_in_the_version_that_is_stored(
        self, standard: list[Manifest]
    ) -> None:
        configuration = only(standard, "ValidatingWebhookConfiguration", "webhook")
        asked = {
            (group, version, resource)
            for webhook in configuration["webhooks"]
            for rule in webhook["rules"]
            for group in rule["apiGroups"]
            for version in rule["apiVersions"]
            for resource in rule["resources"]
        }
        ours = {(kind.group, kind.stored, kind.plural) for kind in REVIEWED.values()}
        assert asked == ours | {("", "v1", "pods")}

    def test_cert_manager_can_make_it_with_an_authority_that_outlives_it(self, helm: Helm) -> None:
        manifests = helm.template(without_definitions(CASES["a certificate from cert-manager"]))
        certificates = {item["metadata"]["name"]: item["spec"] for item in manifests if item["kind"] == "Certificate"}
        issuers = {item["metadata"]["name"]: item["spec"] for item in manifests if item["kind"] == "Issuer"}
        own, authority = certificates["aliquot-webhook"], certificates["aliquot-webhook-authority"]
        assert issuers[own["issuerRef"]["name"]] == {"ca": {"secretName": authority["secretName"]}}
        assert issuers[authority["issuerRef"]["name"]] == {"selfSigned": {}}
        assert authority["isCA"] is True
        told = variables_of_the_webhook(manifests)
        assert told["MAKES_CERTIFICATES"] == "false"
        assert (own["secretName"], own["dnsNames"]) == (told["SECRET_NAME"], [told["HOST_NAME"]])
        configuration = only(manifests, "ValidatingWebhookConfiguration", "webhook")
        assert configuration["metadata"]["annotations"] == {"cert-manager.io/inject-ca-from": "runai/aliquot-webhook"}
        assert not [item for item in manifests if item["kind"] == "Secret"]

    def test_an_issuer_can_be_named(self, helm: Helm) -> None:
        manifests = helm.template(without_definitions(CASES["a certificate from an issuer"]))
        assert only(manifests, "Certificate", "webhook")["spec"]["issuerRef"] == {
            "kind": "ClusterIssuer",
            "name": "internal",
        }
        assert not [item for item in manifests if item["kind"] == "Issuer"]

    def test_where_none_runs_the_api_server_asks_none(self, helm: Helm) -> None:
        kinds = {item["kind"] for item in helm.template(without_definitions(CASES["no operator"]))}
        assert "ValidatingWebhookConfiguration" not in kinds

    def test_one_outside_of_the_cluster_has_its_rights_and_its_secret(self, helm: Helm) -> None:
        manifests = helm.template(without_definitions(CASES["a webhook outside of the cluster"]))
        assert components(manifests) == ["operator"]
        assert called(manifests) == {"url": "https://10.0.0.1:9443/validate"}
        for kind in ("ServiceAccount", "Secret", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"):
            assert [item for item in manifests if item["kind"] == kind and "webhook" in item["metadata"]["name"]], kind

    def test_only_the_operator_of_this_release_goes_unasked(self, helm: Helm) -> None:
        values = without_definitions({"serviceAccount": {"name": "mine"}})
        [conditions] = {
            condition["expression"]
            for webhook in only(helm.template(values), "ValidatingWebhookConfiguration", "webhook")["webhooks"]
            for condition in webhook["matchConditions"]
            if condition["name"] == "not-by-aliquot"
        }
        assert conditions == 'request.userInfo.username != "system:serviceaccount:runai:mine"'


def test_lint_finds_nothing(helm: Helm) -> None:
    done = helm.run("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    done = helm.run("template", "aliquot", str(CHART), "--kube-version", "1.30.0")
    assert done.returncode != 0
    assert ">=1.31.0" in done.stderr


def test_a_packaged_chart_renders_the_same(helm: Helm, tmp_path: Any) -> None:
    done = helm.run("package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    [archive] = tmp_path.iterdir()
    packed = helm.run("template", "aliquot", str(archive), "--namespace", "runai")
    folder = helm.run("template", "aliquot", str(CHART), "--namespace", "runai")
    assert packed.stdout == folder.stdout
