"""Every policy that the control plane takes over REST is one that the API server of a cluster takes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aliquot.cluster.resources import POLICIES
from aliquot.cluster.sync.manifests import manifest, wanted
from aliquot.contracts.administrator_api.policies import PolicyType
from aliquot.contracts.administrator_api.submissions.parts import QUANTITY
from aliquot.contracts.cluster_sync import DesiredPolicy
from aliquot.controlplane.policies.documents import Document, document_of
from aliquot.controlplane.policies.judging import MODELS, check, kind_of, spec_of
from aliquot.errors import UserError
from aliquot_lab import Cluster
from tests.cluster.sync.desires import CLUSTER, desired
from tests.controlplane.policy_rows import ALL, DEFAULTS, RULES, whole

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("sync")]

TEXT = st.one_of(st.text(max_size=20), st.text("x", min_size=1000, max_size=1030), st.just("1;2,3"))
NUMBER = st.one_of(st.integers(0, 2**31), st.floats(0, 1e16), st.sampled_from([0.5, 1, 1.5]))
AMOUNT = st.one_of(st.from_regex(QUANTITY, fullmatch=True), st.sampled_from(["1G", "2Gi", "0", "500M", "+5"]))
WHOLE = st.one_of(st.integers(0, 2**31), st.integers(0, 5))
OPTIONS = st.lists(st.fixed_dictionaries({"value": TEXT}), max_size=3)
KEYED = st.lists(st.fixed_dictionaries({"name": TEXT, "value": TEXT}), max_size=2)
WILD: dict[str, st.SearchStrategy[Any]] = {
    "defaults image": TEXT,
    "defaults command": TEXT,
    "defaults nodeType": TEXT,
    "defaults nodePools": st.lists(TEXT, max_size=3),
    "defaults security.supplementalGroups": TEXT,
    "defaults security.runAsUid": WHOLE,
    "defaults compute.gpuDevicesRequest": WHOLE,
    "defaults compute.cpuCoreRequest": NUMBER,
    "defaults compute.cpuCoreLimit": NUMBER,
    "defaults compute.cpuMemoryRequest": AMOUNT,
    "defaults compute.cpuMemoryLimit": AMOUNT,
    "defaults environmentVariables.instances": st.lists(
        st.fixed_dictionaries({"name": TEXT, "value": TEXT}), max_size=2
    ),
    "defaults labels.instances": KEYED,
    "defaults tolerations.attributes": st.fixed_dictionaries(
        {},
        optional={
            "key": TEXT,
            "operator": st.sampled_from(["Equal", "Exists"]),
            "value": TEXT,
            "effect": st.sampled_from(["NoExecute", "NoSchedule", "Any"]),
            "seconds": WHOLE,
        },
    ),
    "rules image": st.fixed_dictionaries({"options": OPTIONS}),
    "rules compute.gpuDevicesRequest": st.fixed_dictionaries({}, optional={"min": WHOLE, "max": WHOLE, "step": WHOLE}),
    "rules compute.cpuCoreRequest": st.fixed_dictionaries({}, optional={"min": NUMBER, "max": NUMBER, "step": NUMBER}),
    "rules compute.cpuMemoryRequest": st.fixed_dictionaries({}, optional={"min": AMOUNT, "max": AMOUNT}),
    "rules ports.attributes": st.fixed_dictionaries({"container": st.fixed_dictionaries({"min": WHOLE, "max": WHOLE})}),
    "rules security.runAsUid": st.fixed_dictionaries({}, optional={"min": WHOLE, "max": WHOLE}),
}


def _laid_over(upper: Document, lower: Document) -> Document:
    found = dict(lower)
    for name, value in upper.items():
        below = found.get(name)
        found[name] = _laid_over(value, below) if isinstance(value, dict) and isinstance(below, dict) else value  # pyright: ignore[reportUnknownArgumentType]
    return found


@st.composite
def policies(draw: st.DrawFn) -> tuple[PolicyType, Document]:
    workloads = draw(st.sampled_from(ALL))
    known = [("defaults", *row[1:3]) for row in DEFAULTS if workloads in row[0]]
    known += [("rules", *row[1:3]) for row in RULES if workloads in row[0]]
    found: Document = {}
    for half, field, said in draw(st.lists(st.sampled_from(known), max_size=4)):
        found = _laid_over(whole(workloads, half, field, said), found)
    for where in draw(st.lists(st.sampled_from(sorted(WILD)), max_size=4, unique=True)):
        half, field = where.split()
        found = _laid_over(whole(workloads, half, field, draw(WILD[where])), found)
    return workloads, found


def _taken(lab: Cluster, workloads: PolicyType, document: Document) -> None:
    policy = DesiredPolicy(kind=kind_of(workloads), spec=spec_of(workloads, document))  # pyright: ignore[reportArgumentType]
    for want in wanted(desired(policy), "runai"):
        resource = POLICIES[policy.kind]
        made = manifest(want, CLUSTER, resource.api_version)
        path = f"{resource.collection('runai')}?dryRun=All&fieldValidation=Strict"
        assert lab.api.call("POST", path, made)["spec"].keys() == made["spec"].keys()


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(policies())
def test_what_is_taken_over_rest_is_taken_by_a_cluster(
    synced_lab: Cluster, given_: tuple[PolicyType, Document]
) -> None:
    workloads, said = given_
    try:
        document = document_of(MODELS[workloads].model_validate(said))
        check(workloads, document)
    except (UserError, ValidationError):
        event("refused")
        return
    event("taken")
    _taken(synced_lab, workloads, document)


@pytest.mark.parametrize("workloads", ALL)
def test_every_member_is_taken_by_a_cluster(synced_lab: Cluster, workloads: PolicyType) -> None:
    for half, rows in (("defaults", DEFAULTS), ("rules", RULES)):
        for kinds, field, said, _ in rows:
            if workloads in kinds:
                _taken(synced_lab, workloads, whole(workloads, half, field, said))
