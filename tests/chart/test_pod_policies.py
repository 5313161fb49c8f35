"""The policies by which the API server changes pods of others: there where it knows the kind of policy, and wanted."""

from typing import Any

import pytest
import yaml

from tests.chart.chart_support import CHART, Helm, Manifest, without_definitions

KIND = "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"


def rendered(helm: Helm, *arguments: str, values: dict[str, Any] | None = None) -> list[Manifest]:
    done = helm.run("template", "aliquot", str(CHART), *arguments, values=without_definitions(values))
    assert done.returncode == 0, done.stderr
    found = [document for document in yaml.safe_load_all(done.stdout) if document]
    return [each for each in found if each["kind"].startswith("MutatingAdmissionPolicy")]


def test_they_are_left_out_where_they_are_not_known_or_not_wanted(helm: Helm) -> None:
    assert rendered(helm) == []
    assert rendered(helm, "--api-versions", KIND, values={"podPolicies": {"enabled": False}}) == []


def test_each_is_bound_and_none_can_keep_a_pod_from_being_made(helm: Helm) -> None:
    found = rendered(helm, "--api-versions", KIND)
    policies = {each["metadata"]["name"]: each for each in found if each["kind"] == "MutatingAdmissionPolicy"}
    bindings = {each["spec"]["policyName"] for each in found if each["kind"] == "MutatingAdmissionPolicyBinding"}
    assert bindings == set(policies)
    assert {each["spec"]["failurePolicy"] for each in policies.values()} == {"Ignore"}


@pytest.mark.parametrize(("values", "count"), [({}, 1), ({"podPolicies": {"protectGrants": False}}, 0)])
def test_what_protects_grants_denies_and_can_be_left_out(helm: Helm, values: dict[str, Any], count: int) -> None:
    known = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
    done = helm.run("template", "aliquot", str(CHART), "--api-versions", known, values=without_definitions(values))
    found = [each for each in yaml.safe_load_all(done.stdout) if each]
    policies = [each for each in found if each["kind"] == "ValidatingAdmissionPolicy"]
    bindings = [each for each in found if each["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert (len(policies), len(bindings)) == (count, count)
    for policy, binding in zip(policies, bindings, strict=True):
        assert policy["spec"]["failurePolicy"] == "Fail"
        assert binding["spec"] == {"policyName": policy["metadata"]["name"], "validationActions": ["Deny"]}


@pytest.mark.parametrize("release", ["aliquot", "x" * 53])
def test_their_names_follow_the_release(helm: Helm, release: str) -> None:
    done = helm.run("template", release, str(CHART), "--api-versions", KIND, values=without_definitions())
    names = [each["metadata"]["name"] for each in yaml.safe_load_all(done.stdout) if each]
    assert len({name for name in names if "gpu-in" in name}) == 3
    assert all(len(name) <= 63 for name in names if "gpu-in" in name)
