"""Who may do what: the operator's rights are exactly this table, and the guide explains each of them."""

import re
from functools import cache

import pytest
import yaml

from aliquot import names
from aliquot.core.intake.group_table import builtin_table
from tests.chart.chart_support import CRDS, GUIDE, PROJECT_ROLES, Helm, Manifest, only, without_definitions

pytestmark = pytest.mark.xdist_group("rendered chart")

OPERATOR = """
    cluster  -                    pods                         get list watch create delete
    cluster  -                    pods/binding                 create
    cluster  -                    pods/status                  patch
    cluster  -                    nodes                        list watch
    cluster  -                    namespaces                   get list watch create patch
    cluster  -                    services                     get list watch create update
    cluster  networking.k8s.io    ingresses                    get list watch create update
    cluster  apps                 deployments                  get list watch create update
    cluster  autoscaling          horizontalpodautoscalers     get list watch create update delete
    cluster  serving.knative.dev  services                     get list watch create update
    cluster  kubeflow.org         mpijobs                      get list watch create update delete
    cluster  -                    persistentvolumeclaims       get list watch create patch
    cluster  events.k8s.io        events                       create patch
    cluster  run.ai               trainingworkloads            get list watch patch delete
    cluster  run.ai               trainingworkloads/finalizers update
    cluster  run.ai               trainingworkloads/status     update
    cluster  run.ai               interactiveworkloads         get list watch patch delete
    cluster  run.ai               interactiveworkloads/finalizers update
    cluster  run.ai               interactiveworkloads/status  update
    cluster  run.ai               distributedworkloads         get list watch patch delete
    cluster  run.ai               distributedworkloads/finalizers update
    cluster  run.ai               distributedworkloads/status  update
    cluster  run.ai               inferenceworkloads           get list watch patch delete
    cluster  run.ai               inferenceworkloads/finalizers update
    cluster  run.ai               inferenceworkloads/status    update
    cluster  run.ai               projects                     list watch
    cluster  run.ai               projects/status              patch
    cluster  run.ai               nodepools                    list watch
    cluster  run.ai               nodepools/status             patch
    cluster  run.ai               distributedpolicies          list watch
    cluster  run.ai               distributedpolicies/status   patch
    cluster  run.ai               inferencepolicies            list watch
    cluster  run.ai               inferencepolicies/status     patch
    cluster  run.ai               interactivepolicies          list watch
    cluster  run.ai               interactivepolicies/status   patch
    cluster  run.ai               trainingpolicies             list watch
    cluster  run.ai               trainingpolicies/status      patch
    cluster  run.ai               runaijobs                    list watch delete
    cluster  run.ai               runaijobs/finalizers         update
    cluster  run.ai               runaijobs/status             update
    cluster  run.ai               externalworkloads            list watch create patch
    cluster  run.ai               externalworkloads/status     patch
    cluster  run.ai               accessrules                  list watch
    cluster  run.ai               accessrules/status           patch
    cluster  rbac.authorization.k8s.io  rolebindings           get list watch create update delete
    cluster  rbac.authorization.k8s.io  clusterroles=aliquot-project-administrator  bind
    cluster  rbac.authorization.k8s.io  clusterroles=aliquot-project-engineer  bind
    cluster  rbac.authorization.k8s.io  clusterroles=aliquot-project-researcher  bind
    cluster  rbac.authorization.k8s.io  clusterroles=aliquot-project-viewer  bind
    cluster  kai.scheduler        topologies                   list watch
    cluster  kueue.x-k8s.io       topologies                   list watch
    cluster  scheduling.k8s.io    priorityclasses              list watch
    cluster  scheduling.run.ai    departments                  list watch
    cluster  scheduling.run.ai    departments/status           patch
    runai    coordination.k8s.io  leases                       create
    runai    coordination.k8s.io  leases=aliquot-operator      get patch
    runai    -                    configmaps                   list watch
    runai    -                    configmaps                   create
    runai    -                    configmaps=aliquot-usage     get patch
    runai    run.ai               runaiconfigs                 list watch
    runai    run.ai               runaiconfigs/status          patch
"""

CONTROL_PLANE = """
    cluster  events.k8s.io        events                       list watch
    cluster  storage.k8s.io       storageclasses               list watch
    cluster  run.ai               accessrules                  create patch delete
    cluster  run.ai               nodepools                    create patch delete
    cluster  run.ai               projects                     create patch delete
    cluster  run.ai               distributedpolicies          create patch delete
    cluster  run.ai               inferencepolicies            create patch delete
    cluster  run.ai               interactivepolicies          create patch delete
    cluster  run.ai               trainingpolicies             create patch delete
    cluster  run.ai               trainingworkloads            create
    cluster  run.ai               interactiveworkloads         create
    cluster  run.ai               distributedworkloads         create
    cluster  run.ai               inferenceworkloads           create
    cluster  scheduling.run.ai    departments                  create patch delete
"""
"""What the operator may do besides where there is a control plane."""

WEBHOOK = """
    cluster  -                             namespaces                                       list watch
    cluster  run.ai                        projects                                         list watch
    cluster  run.ai                        nodepools                                        list watch
    cluster  run.ai                        distributedpolicies                              list watch
    cluster  run.ai                        inferencepolicies                                list watch
    cluster  run.ai                        interactivepolicies                              list watch
    cluster  run.ai                        trainingpolicies                                 list watch
    cluster  run.ai                        distributedworkloads                             list watch
    cluster  run.ai                        inferenceworkloads                               list watch
    cluster  run.ai                        interactiveworkloads                             list watch
    cluster  run.ai                        trainingworkloads                                list watch
    cluster  scheduling.run.ai             departments                                      list watch
    cluster  admissionregistration.k8s.io  validatingwebhookconfigurations=aliquot-webhook  get patch
    runai    -                             secrets=aliquot-webhook                          get patch
    runai    run.ai                        runaiconfigs                                     list watch
"""

OPERATOR_ROLE = "aliquot-operator"
UID = "71f69d83-ba66-4822-adf5-55ce55efd210"
TABLES = {"operator": OPERATOR, "webhook": WEBHOOK}

Right = tuple[str, str, str, str]
"""Where, API group, resource (with `=name` if it is bound to a name), verb."""


def rights_of_table(text: str) -> set[Right]:
    rows = [line.split() for line in text.strip().splitlines()]
    return {(row[0], row[1].strip("-"), row[2], verb) for row in rows for verb in row[3:]}


def rights_of_rules(where: str, role: Manifest) -> list[Right]:
    return [
        (where, group, f"{resource}={name}" if name else resource, verb)
        for rule in role.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", ("",))
        for verb in rule["verbs"]
    ]


def rights_of_guide(component: str) -> set[Right]:
    """The rights in the guide's table after the sentence that names the component's account."""
    rights: set[Right] = set()
    told = GUIDE.read_text().partition(f"ServiceAccount `aliquot-{component}`")[2].partition("\n\n|")[2]
    for line in f"|{told.partition(chr(10) * 2)[0]}".splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")] if line.startswith("| cluster") else []
        if line.startswith("| `runai`"):
            cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if not cells:
            continue
        where, group, resource, verbs, why = cells
        assert why, f"the guide does not say why: {line}"
        resource = re.sub(r"` named `", "=", resource)
        rights |= {(where.strip("`"), group.strip("`"), resource.strip("`"), verb) for verb in verbs.split()}
    return rights


@pytest.fixture(scope="module")
def standard(helm: Helm) -> list[Manifest]:
    return helm.template(without_definitions())


@pytest.fixture(scope="module")
def roles(standard: list[Manifest]) -> dict[str, Manifest]:
    return {item["metadata"]["name"]: item for item in standard if item["kind"] == "ClusterRole"}


@cache
def plurals(*, category: str | None = None) -> set[tuple[str, str]]:
    """Group and plural of our kinds."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    specs = [yaml.load(path.read_text(), Loader=loader)["spec"] for path in CRDS.glob("*.yaml")]
    return {
        (spec["group"], spec["names"]["plural"])
        for spec in specs
        if category is None or category in spec["names"].get("categories", ())
    }


@pytest.mark.parametrize("component", TABLES)
def test_a_component_may_do_what_its_table_says_and_nothing_else(
    component: str, standard: list[Manifest], roles: dict[str, Manifest]
) -> None:
    bound = rights_of_rules("runai", only(standard, "Role", component))
    granted = rights_of_rules("cluster", roles[f"aliquot-{component}"]) + bound
    assert set(granted) == rights_of_table(TABLES[component])
    assert len(granted) == len(set(granted)), "a right is given twice"


@pytest.mark.parametrize("component", TABLES)
def test_the_guide_explains_every_right(component: str) -> None:
    besides = rights_of_table(CONTROL_PLANE) if component == "operator" else set[Right]()
    assert rights_of_guide(component) == rights_of_table(TABLES[component]) | besides


def test_with_a_control_plane_the_operator_may_make_what_it_says_and_nothing_more(helm: Helm) -> None:
    values = {"controlPlane": {"url": "https://aliquot.example.com", "clientSecret": "s"}, "cluster": {"uid": UID}}
    manifests = helm.template(without_definitions(values))
    granted = rights_of_rules("runai", only(manifests, "Role"))
    [role] = [each for each in manifests if each["kind"] == "ClusterRole" and each["metadata"]["name"] == OPERATOR_ROLE]
    granted += rights_of_rules("cluster", role)
    assert set(granted) == rights_of_table(OPERATOR) | rights_of_table(CONTROL_PLANE)
    assert len(granted) == len(set(granted)), "a right is given twice"


def test_with_cert_manager_the_webhook_only_reads_its_secret(helm: Helm) -> None:
    manifests = helm.template(without_definitions({"webhook": {"certManager": {"enabled": True}}}))
    roles = {item["metadata"]["name"]: item for item in manifests if item["kind"] == "ClusterRole"}
    assert {verb for *_, verb in rights_of_rules("", roles["aliquot-webhook"])} == {"list", "watch"}
    bound = only(manifests, "Role", "webhook")
    of_secrets = [right for right in rights_of_rules("runai", bound) if right[2].startswith("secrets")]
    assert of_secrets == [("runai", "", "secrets=aliquot-webhook-tls", "get")]


def test_the_operator_reads_the_kinds_of_the_table_and_of_roles_that_administrators_add(
    roles: dict[str, Manifest],
) -> None:
    kinds = roles["aliquot-kinds"]
    known = {(kind.group, f"{kind.kind.lower()}s") for kind in builtin_table().kinds.values() if kind.group}
    granted = {(group, resource) for _, group, resource, _ in rights_of_rules("", kinds)}
    assert granted == known, "the chart's role and core/intake/group_table/builtin.yaml name other kinds"
    assert {verb for *_, verb in rights_of_rules("", kinds)} == {"list", "watch"}
    collected = roles["aliquot-kind-reader"]
    [selector] = collected["aggregationRule"]["clusterRoleSelectors"]
    assert selector["matchLabels"] == {names.AGGREGATE_LABEL: "true"}
    assert kinds["metadata"]["labels"][names.AGGREGATE_LABEL] == "true"
    assert "rules" not in collected, "an upgrade would quarrel about them with Kubernetes' own controller"


def test_no_role_has_wildcards_secrets_of_others_or_ways_to_more_rights(standard: list[Manifest]) -> None:
    for role in (item for item in standard if item["kind"] in ("Role", "ClusterRole")):
        for where, group, resource, verb in rights_of_rules("", role):
            assert "*" not in (group, resource, verb), role["metadata"]["name"]
            assert resource not in {"secrets", "serviceaccounts/token"}, where
            assert verb not in {"impersonate", "escalate", "approve", "sign"}
            assert verb != "bind" or resource.removeprefix("clusterroles=") in PROJECT_ROLES
            assert group != "rbac.authorization.k8s.io" or role["metadata"]["name"] == "aliquot-operator"
            assert resource != "pods/exec" or role["metadata"]["name"] in PROJECT_ROLES


@pytest.mark.parametrize("component", TABLES)
def test_bindings_give_the_roles_of_the_same_name(component: str, standard: list[Manifest]) -> None:
    for kind in ("ClusterRole", "Role"):
        binding = only(standard, f"{kind}Binding", component)
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": binding["kind"].removesuffix("Binding"),
            "name": binding["metadata"]["name"],
        }


def test_who_may_view_a_namespace_may_see_every_kind_of_ours(roles: dict[str, Manifest]) -> None:
    seen = {(group, resource) for _, group, resource, _ in rights_of_rules("", roles["aliquot-view"])}
    verbs = {verb for *_, verb in rights_of_rules("", roles["aliquot-view"])}
    assert seen == plurals()
    assert verbs == {"get", "list", "watch"}


def test_who_may_edit_a_namespace_may_make_workloads_and_no_policies(roles: dict[str, Manifest]) -> None:
    made = {(group, resource) for _, group, resource, _ in rights_of_rules("", roles["aliquot-edit"])}
    assert made == plurals(category="runai-workloads") | {("run.ai", "runaijobs")}


def rights_in_a_project(role: Manifest) -> dict[tuple[str, str], set[str]]:
    """The verbs of a role by group and resource."""
    found: dict[tuple[str, str], set[str]] = {}
    for _, group, resource, verb in rights_of_rules("", role):
        found.setdefault((group, resource), set()).add(verb)
    return found


@pytest.mark.parametrize("name", PROJECT_ROLES)
def test_a_role_in_a_project_may_write_what_its_name_says(name: str, roles: dict[str, Manifest]) -> None:
    workloads = plurals(category="runai-workloads") | {("run.ai", "runaijobs")}
    policies = plurals(category="runai-policies")
    may = rights_in_a_project(roles[name])
    written = {what for what, verbs in may.items() if verbs & {"create", "update", "patch", "delete"}}
    inside = {("", f"pods/{what}") for what in ("attach", "exec", "portforward")}
    assert (
        written
        == {
            names.VIEWER_ROLE: set(),
            names.ENGINEER_ROLE: inside | {("run.ai", "inferenceworkloads")},
            names.RESEARCHER_ROLE: inside | workloads,
            names.ADMINISTRATOR_ROLE: inside | workloads | policies,
        }[name]
    )
    seen = {what for what, verbs in may.items() if {"get", "list", "watch"} <= verbs}
    assert seen > workloads | policies | {("run.ai", "externalworkloads"), ("", "pods"), ("", "events")}


@pytest.mark.parametrize(
    ("role", "into"), [("aliquot-view", {"view", "edit", "admin"}), ("aliquot-edit", {"edit", "admin"})]
)
def test_roles_for_users_become_part_of_the_clusters_own(role: str, into: set[str], roles: dict[str, Manifest]) -> None:
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = roles[role]["metadata"]["labels"]
    assert {name.removeprefix(prefix) for name in labels if name.startswith(prefix)} == into


@pytest.mark.parametrize("component", TABLES)
def test_only_the_pods_that_ask_for_it_get_the_accounts_token(component: str, standard: list[Manifest]) -> None:
    assert only(standard, "ServiceAccount", component)["automountServiceAccountToken"] is False
    assert only(standard, "Deployment", component)["spec"]["template"]["spec"]["automountServiceAccountToken"] is True
