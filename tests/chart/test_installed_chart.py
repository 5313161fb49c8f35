"""The chart on a real cluster: what is there after `helm install`, and who may do what then."""

import json
import re
from collections.abc import Generator
from typing import Any

import pytest
import yaml

from aliquot_lab import Cluster, LabError, dedicated
from aliquot_lab.processes import eventually
from demo.platform import install_chart
from tests.chart.chart_support import CRDS, GUIDE, definitions_are_established
from tests.chart.test_rights import TABLES, Right, rights_of_table
from tests.support.arena import PATIENCE_SECONDS

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("installed chart")]

SECRET_LIMIT_BYTES = 1024 * 1024
"""Most that a Secret may hold; Helm keeps a release in one."""
OPERATORS_ACCOUNT = "system:serviceaccount:runai:aliquot-operator"


@pytest.fixture(scope="module")
def cluster() -> Generator[Cluster]:
    """A cluster with the chart in a namespace that takes only pods of the strictest Pod Security Standard."""
    with dedicated(nodes=2) as lab:
        lab.add_namespace("runai", {"pod-security.kubernetes.io/enforce": "restricted"})
        install_chart(lab, "--namespace", "runai")
        definitions_are_established(lab)
        yield lab


def allowed(
    cluster: Cluster, user: str, verb: str, resource: str, *, group: str = "", namespace: str = "", name: str = ""
) -> bool:
    """What the API server answers to `may this user do that?`; an empty namespace means everywhere."""
    main, _, subresource = resource.partition("/")
    asked = {
        "verb": verb,
        "group": group,
        "resource": main,
        "subresource": subresource,
        "namespace": namespace,
        "name": name,
    }
    groups = ["system:authenticated"]
    if user.startswith("system:serviceaccount:"):
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{user.split(':')[2]}"]
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": asked},
    }
    answer = cluster.api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def explained(cluster: Cluster, what: str) -> str:
    """What kubectl explains, which Kubernetes publishes a moment after it serves a kind."""
    text = ""

    def known() -> bool:
        nonlocal text
        try:
            text = cluster.kubectl("explain", what)
        except LabError as problem:
            text = str(problem)
            return False
        return True

    assert eventually(known, seconds=PATIENCE_SECONDS), text
    return text


class TestDefinitions:
    def test_the_api_server_serves_every_kind(self, cluster: Cluster) -> None:
        served = cluster.kubectl("get", "crds", "-o", "name").split()
        assert len(served) == len(list(CRDS.glob("*.yaml")))

    def test_kubectl_explains_every_kind(self, cluster: Cluster) -> None:
        for path in CRDS.glob("*.yaml"):
            group, _, plural = path.stem.partition("_")
            text = explained(cluster, f"{plural}.{group}.spec")
            assert "<empty>" not in text, text
            assert "FIELDS:" in text or "DESCRIPTION:" in text, text

    def test_kubectl_explains_a_field(self, cluster: Cluster) -> None:
        assert "GPU" in explained(cluster, "trainingworkload.spec.gpu")

    def test_the_release_fits_into_its_secret_with_room_to_grow(self, cluster: Cluster) -> None:
        """Every definition is in it twice, in the chart and in the manifest, compressed."""
        secret: dict[str, Any] = json.loads(
            cluster.kubectl("get", "secret", "-n", "runai", "sh.helm.release.v1.aliquot.v1", "-o", "json")
        )
        size_bytes = len(secret["data"]["release"]) * 3 // 4
        assert size_bytes < 0.75 * SECRET_LIMIT_BYTES


class TestTheOperator:
    def test_its_pods_are_admitted_where_only_restricted_pods_are(self, cluster: Cluster) -> None:
        for component in TABLES:
            cluster.kubectl("rollout", "status", f"deployment/aliquot-{component}", "-n", "runai", "--timeout=300s")
            chosen = ["-n", "runai", "-l", f"app.kubernetes.io/component={component}"]
            pods = json.loads(cluster.kubectl("get", "pods", *chosen, "-o", "json"))["items"]
            assert len({pod["spec"]["nodeName"] for pod in pods}) == 2, "both replicas on one node"
            assert {pod["spec"]["priorityClassName"] for pod in pods} == {"system-cluster-critical"}

    @pytest.mark.parametrize("component", TABLES)
    def test_it_may_do_what_the_table_says(self, component: str, cluster: Cluster) -> None:
        account = f"system:serviceaccount:runai:aliquot-{component}"

        def may(right: Right) -> bool:
            where, group, asked, verb = right
            resource, _, name = asked.partition("=")
            namespace = "" if where == "cluster" else where
            return allowed(cluster, account, verb, resource, group=group, namespace=namespace, name=name)

        refused = sorted(rights_of_table(TABLES[component]))

        def none() -> bool:  # the API server and the controller that collects rights take theirs by and by
            nonlocal refused
            refused = [right for right in refused if not may(right)]
            return not refused

        assert eventually(none, seconds=PATIENCE_SECONDS), refused

    @pytest.mark.parametrize(
        ("verb", "resource", "group", "namespace", "name"),
        [
            ("get", "secrets", "", "runai", "sh.helm.release.v1.aliquot.v1"),
            ("list", "secrets", "", "runai", ""),
            ("create", "secrets", "", "runai", ""),
            ("get", "secrets", "", "runai-team-a", "aliquot-webhook"),
            ("list", "pods", "", "runai-team-a", ""),
            ("create", "pods", "", "runai-team-a", ""),
            ("patch", "trainingworkloads", "run.ai", "runai-team-a", ""),
            ("patch", "projects", "run.ai", "", "team-a"),
            (
                "patch",
                "validatingwebhookconfigurations",
                "admissionregistration.k8s.io",
                "",
                "another",
            ),
            ("create", "validatingwebhookconfigurations", "admissionregistration.k8s.io", "", ""),
            ("get", "leases", "coordination.k8s.io", "runai", "aliquot-operator"),
        ],
    )
    def test_the_webhook_may_not(
        self, verb: str, resource: str, group: str, namespace: str, name: str, cluster: Cluster
    ) -> None:
        account = "system:serviceaccount:runai:aliquot-webhook"
        assert not allowed(cluster, account, verb, resource, group=group, namespace=namespace, name=name)

    @pytest.mark.parametrize(
        ("verb", "resource", "group", "namespace", "name"),
        [
            ("get", "secrets", "", "runai", ""),
            ("list", "secrets", "", "runai-team-a", ""),
            ("get", "configmaps", "", "runai", ""),
            ("update", "pods", "", "runai-team-a", ""),
            ("patch", "pods", "", "runai-team-a", ""),
            ("deletecollection", "pods", "", "runai-team-a", ""),
            ("create", "pods/exec", "", "runai-team-a", ""),
            ("get", "pods/log", "", "runai-team-a", ""),
            ("update", "pods/status", "", "runai-team-a", ""),
            ("patch", "nodes", "", "", ""),
            ("delete", "namespaces", "", "", "runai-team-a"),
            ("create", "serviceaccounts/token", "", "runai", "aliquot-operator"),
            ("get", "leases", "coordination.k8s.io", "runai", "another"),
            ("update", "leases", "coordination.k8s.io", "runai", "another"),
            ("delete", "leases", "coordination.k8s.io", "runai", "aliquot-operator"),
            ("update", "leases", "coordination.k8s.io", "kube-system", "aliquot-operator"),
            ("create", "trainingworkloads", "run.ai", "runai-team-a", ""),
            ("update", "trainingworkloads", "run.ai", "runai-team-a", ""),
            ("patch", "projects", "run.ai", "", "team-a"),
            ("delete", "projects", "run.ai", "", "team-a"),
            ("create", "interactiveworkloads", "run.ai", "runai-team-a", ""),
            ("patch", "departments", "scheduling.run.ai", "", "research"),
            ("create", "priorityclasses", "scheduling.k8s.io", "", ""),
            ("get", "customresourcedefinitions", "apiextensions.k8s.io", "", ""),
            ("create", "clusterrolebindings", "rbac.authorization.k8s.io", "", ""),
        ],
    )
    def test_it_may_not(
        self, verb: str, resource: str, group: str, namespace: str, name: str, cluster: Cluster
    ) -> None:
        assert not allowed(cluster, OPERATORS_ACCOUNT, verb, resource, group=group, namespace=namespace, name=name)

    def test_a_token_of_its_account_works(self, cluster: Cluster) -> None:
        kubeconfig = cluster.kubeconfig_for("aliquot-operator", "runai")
        assert "yes" in cluster.kubectl("auth", "can-i", "create", "pods/binding", "-A", f"--kubeconfig={kubeconfig}")


class TestUsers:
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def team(cls, cluster: Cluster) -> None:
        cluster.add_namespace("runai-team")
        for role in ("view", "edit", "admin"):
            cluster.kubectl(
                "create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}er", "-n", "runai-team"
            )
        # The controller manager puts our roles into the cluster's own, one after the other.
        for user, verb in (("viewer", "list"), ("editer", "create"), ("adminer", "create")):
            assert eventually(
                lambda user=user, verb=verb: allowed(
                    cluster, user, verb, "runaijobs", group="run.ai", namespace="runai-team"
                ),
                seconds=PATIENCE_SECONDS,
            )

    @pytest.mark.parametrize(
        ("user", "verb", "resource", "answer"),
        [
            ("viewer", "list", "trainingworkloads", True),
            ("viewer", "watch", "trainingpolicies", True),
            ("viewer", "create", "trainingworkloads", False),
            ("viewer", "delete", "trainingworkloads", False),
            ("editer", "create", "trainingworkloads", True),
            ("editer", "patch", "interactiveworkloads", True),
            ("editer", "deletecollection", "distributedworkloads", True),
            ("editer", "patch", "trainingworkloads/status", False),
            ("editer", "create", "trainingpolicies", False),
            ("adminer", "delete", "inferenceworkloads", True),
            ("adminer", "patch", "trainingpolicies", False),
            ("adminer", "patch", "projects", False),
        ],
    )
    def test_in_a_namespace(self, user: str, verb: str, resource: str, answer: bool, cluster: Cluster) -> None:
        assert allowed(cluster, user, verb, resource, group="run.ai", namespace="runai-team") is answer

    def test_not_elsewhere(self, cluster: Cluster) -> None:
        assert not allowed(cluster, "editer", "create", "trainingworkloads", group="run.ai", namespace="runai")


class TestFirstSteps:
    """What guide and notes tell people to apply is taken by the API server."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def team(cls, cluster: Cluster) -> None:
        cluster.add_namespace("runai-team-a")

    def test_the_guides_objects_are_valid(self, cluster: Cluster) -> None:
        written = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
        blocks = [block for block in written if "kind:" in block]  # the others are values of the chart
        kinds = [document["kind"] for block in blocks for document in yaml.safe_load_all(block)]
        assert kinds == ["Department", "Project", "TrainingWorkload"]
        for block in blocks:
            cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=block)

    def test_the_objects_of_the_notes_are_valid(self, cluster: Cluster) -> None:
        notes = cluster.helm("get", "notes", "aliquot", "-n", "runai")
        commands = re.findall(r"kubectl apply ([^\n]*?)-f - <<EOF\n(.*?)^EOF$", notes, re.MULTILINE | re.DOTALL)
        assert len(commands) == 2
        for options, block in commands:
            arguments = ["create", "--dry-run=server", "--validate=strict", *options.split(), "-f", "-"]
            cluster.kubectl(*arguments, input=block)
