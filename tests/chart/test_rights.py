"""Who may do what: the operator's rights are exactly this table, and the guide explains each of them."""

import re

import pytest
import yaml

from tests.chart.chart_support import CRDS, GUIDE, Helm, Manifest, only, without_definitions

OPERATOR = """
    cluster  -                    pods                         get list watch create delete
    cluster  -                    pods/binding                 create
    cluster  -                    pods/status                  patch
    cluster  -                    nodes                        list watch
    cluster  -                    namespaces                   get list watch create patch
    cluster  events.k8s.io        events                       create patch
    cluster  run.ai               trainingworkloads            list watch patch delete
    cluster  run.ai               trainingworkloads/finalizers update
    cluster  run.ai               trainingworkloads/status     update
    cluster  run.ai               projects                     list watch
    cluster  run.ai               projects/status              patch
    cluster  run.ai               nodepools                    list watch
    cluster  run.ai               nodepools/status             patch
    cluster  scheduling.run.ai    departments                  list watch
    cluster  scheduling.run.ai    departments/status           patch
    runai    coordination.k8s.io  leases                       create
    runai    coordination.k8s.io  leases=aliquot-operator      get patch
"""

Right = tuple[str, str, str, str]
"""Where, API group, resource (with `=name` if it is bound to a name), verb."""


def rights_of_table(text: str) -> set[Right]:
    rows = [line.split() for line in text.strip().splitlines()]
    return {(row[0], row[1].strip("-"), row[2], verb) for row in rows for verb in row[3:]}


def rights_of_rules(where: str, role: Manifest) -> list[Right]:
    return [
        (where, group, resource + "".join(f"={name}" for name in rule.get("resourceNames", ())), verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def rights_of_guide() -> set[Right]:
    rights: set[Right] = set()
    for line in GUIDE.read_text().splitlines():
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


def plurals(*, category: str | None = None) -> set[tuple[str, str]]:
    """Group and plural of our kinds."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    specs = [yaml.load(path.read_text(), Loader=loader)["spec"] for path in CRDS.glob("*.yaml")]
    return {
        (spec["group"], spec["names"]["plural"])
        for spec in specs
        if category is None or category in spec["names"].get("categories", ())
    }


def test_the_operator_may_do_what_the_table_says_and_nothing_else(
    standard: list[Manifest], roles: dict[str, Manifest]
) -> None:
    granted = rights_of_rules("cluster", roles["aliquot-operator"]) + rights_of_rules("runai", only(standard, "Role"))
    assert set(granted) == rights_of_table(OPERATOR)
    assert len(granted) == len(set(granted)), "a right is given twice"


def test_the_guide_explains_every_right() -> None:
    assert rights_of_guide() == rights_of_table(OPERATOR)


def test_no_role_has_wildcards_secrets_or_ways_to_more_rights(standard: list[Manifest]) -> None:
    for role in (item for item in standard if item["kind"] in ("Role", "ClusterRole")):
        for where, group, resource, verb in rights_of_rules("", role):
            assert "*" not in (group, resource, verb), role["metadata"]["name"]
            assert resource not in {"secrets", "serviceaccounts/token", "pods/exec"}, where
            assert verb not in {"impersonate", "escalate", "bind", "approve", "sign"}
            assert group != "rbac.authorization.k8s.io"


def test_bindings_give_the_roles_of_the_same_name(standard: list[Manifest]) -> None:
    for kind in ("ClusterRole", "Role"):
        binding = only(standard, f"{kind}Binding")
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": kind,
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


@pytest.mark.parametrize(
    ("role", "into"), [("aliquot-view", {"view", "edit", "admin"}), ("aliquot-edit", {"edit", "admin"})]
)
def test_roles_for_users_become_part_of_the_clusters_own(role: str, into: set[str], roles: dict[str, Manifest]) -> None:
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = roles[role]["metadata"]["labels"]
    assert {name.removeprefix(prefix) for name in labels if name.startswith(prefix)} == into


def test_only_the_pods_that_ask_for_it_get_the_accounts_token(standard: list[Manifest]) -> None:
    assert only(standard, "ServiceAccount")["automountServiceAccountToken"] is False
    assert only(standard, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True
