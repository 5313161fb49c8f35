"""A workload of any kind with its template and its policy, to what is carried out or everything that is wrong."""

from typing import Any

import pytest

from aliquot.contracts.kinds.status import MAX_ORIGINS, Inherited
from aliquot.contracts.kinds.workloads import DistributedWorkload, Workload
from aliquot.core.submission import (
    InvalidWorkload,
    ValidDistributed,
    ValidInteractive,
    ValidSpec,
    effective_distributed,
    inheritance_now,
    read_workload,
)
from aliquot.core.submission.inference import PORT_MISSING
from aliquot.core.submission.inheritance import with_inherited
from tests.core.submission.written import HERE, WORKLOADS, Json, policy, workload
from tests.support.written_cluster import DEFAULTS, Cluster

DISTRIBUTED = "DistributedWorkload"


def value(written: Any) -> Json:
    return {"value": written}


def item(**members: Any) -> Json:
    return {"items": {"one": value(members)}}


SPECS: dict[str, Json] = {
    "TrainingWorkload": {},
    "InteractiveWorkload": {},
    "InferenceWorkload": {},
    DISTRIBUTED: {"jobType": "PyTorchJob"},
}
"""What a workload of each kind says itself where its template and its policy give the rest."""


def template(kind: str, /, *, namespace: str = HERE, **parts: Any) -> Workload:
    return workload(kind, "defaults", namespace=namespace, **{"spec": {}, **parts})


def said(given: Workload, cluster: Cluster) -> list[str]:
    """Everything that is wrong."""
    with pytest.raises(InvalidWorkload) as caught:
        read_workload(given, cluster, DEFAULTS)
    return list(map(str, caught.value.errors))


@pytest.mark.parametrize(
    ("kind", "valid"),
    [("TrainingWorkload", ValidSpec), ("InteractiveWorkload", ValidInteractive), (DISTRIBUTED, ValidDistributed)],
)
def test_every_kind_takes_from_its_own_template_and_policy(kind: str, valid: type) -> None:
    others = [each for each in WORKLOADS if each != kind]
    cluster = Cluster(
        templates=[
            template(kind, spec={"image": value("theirs")}),
            *(template(other, spec={"image": value("of-others")}) for other in others),
        ],
        every_policy=[
            policy(kind, {"cpu": value("3")}),
            *(policy(other, {"cpu": value("7"), "gpu": {"rules": {"max": "0"}}}) for other in others),
        ],
    )
    given = workload(kind, spec={**SPECS[kind], "baseWorkload": "defaults", "gpu": value("1")})
    found = read_workload(given, cluster, DEFAULTS)
    assert type(found) is valid
    pod = found.worker if isinstance(found, ValidDistributed) else found.pod
    assert (pod.process.image, pod.compute.cpu_milli, pod.compute.gpus.devices) == ("theirs", 3000, 1)


def test_an_inference_workload_takes_its_port_from_its_template() -> None:
    ports = Cluster(templates=[template("InferenceWorkload", spec={"ports": item(container=8000), "cpu": value("x")})])
    given = workload("InferenceWorkload", spec={"image": value("x"), "baseWorkload": "defaults"})
    assert not any(PORT_MISSING in sentence for sentence in said(given, ports))
    alone = workload("InferenceWorkload", spec={"image": value("x")})
    assert any(PORT_MISSING in sentence for sentence in said(alone, Cluster()))


@pytest.mark.parametrize("kind", WORKLOADS)
def test_everything_that_is_wrong_is_told_at_once(kind: str) -> None:
    """What the policy forbids, and what makes no sense."""
    limits = policy(kind, {"gpu": {"rules": {"max": "0.25"}}, "username": {"rules": {"required": True}}})
    spec = {**SPECS[kind], "gpu": value("1.5"), "image": value(" "), "cpu": value("many"), "mpi": value(True)}
    told = said(workload(kind, spec=spec), Cluster(every_policy=[limits]))
    assert told == sorted(told)
    fields = [sentence.partition(":")[0] for sentence in told]
    assert {"gpu", "username", "spec.gpu.value", "spec.image.value", "spec.cpu.value"} <= {*fields}
    assert "gpu: must be no greater than 0.25" in told


def test_a_notebook_needs_no_service_to_run() -> None:
    found = read_workload(workload("InteractiveWorkload", spec={"jupyter": value(True)}), Cluster(), DEFAULTS)
    assert isinstance(found, ValidInteractive)


def test_a_master_takes_what_its_templates_master_and_its_workers_have() -> None:
    cluster = Cluster(
        templates=[
            template(
                DISTRIBUTED,
                spec={"image": value("theirs"), "cpu": value("1"), "gpu": value("4")},
                masterSpec={"cpu": value("2"), "memory": value("1Gi"), "name": value("launcher"), "gpu": value("0")},
            )
        ],
        every_policy=[policy(DISTRIBUTED, {"tty": value(True), "memory": value("2Gi")})],
    )
    spec = {"jobType": "PyTorchJob", "baseWorkload": "defaults", "gpu": value("8")}
    given = workload(DISTRIBUTED, spec=spec, masterSpec={"memory": value("3Gi")})
    found = read_workload(given, cluster, DEFAULTS)
    assert isinstance(found, ValidDistributed)
    assert found.master is not None
    worker, master = found.worker, found.master
    assert (worker.compute.cpu_milli, worker.compute.memory_bytes, worker.compute.gpus.devices) == (1000, 2 * 2**30, 8)
    assert (master.compute.cpu_milli, master.compute.memory_bytes, master.compute.gpus.devices) == (2000, 3 * 2**30, 0)
    assert (master.process.image, master.process.tty, master.identity.job_name) == ("theirs", True, None)
    origins = inheritance_now(given, cluster).origins
    assert {path: layer for path, layer in origins.items() if "memory" in path or "tty" in path} == {
        "masterSpec.memory": "template",
        "memory": "policy",
        "tty": "policy",
    }


def test_items_of_a_master_are_deleted_and_have_defaults_as_those_of_its_workers() -> None:
    claims = {"items": {"DEFAULTS": value({"existingPvc": True, "path": "nil"}), "sets": value({"path": "/sets"})}}
    claims["items"]["sets"]["value"]["claimName"] = "sets"
    cluster = Cluster(every_policy=[policy(DISTRIBUTED, {"pvcs": claims})])
    spec = {"jobType": "PyTorchJob", "image": value("x"), "environment": {"items": {"A": value("1"), "B": value("2")}}}
    own = {
        "pvcs": {"items": {"mine": value({"path": "/mine", "claimName": "mine"}), "sets": {"deleted": True}}},
        "environment": {"items": {"A": {"deleted": True}}},
    }
    found = read_workload(workload(DISTRIBUTED, spec=spec, masterSpec=own), cluster, DEFAULTS)
    assert isinstance(found, ValidDistributed)
    assert found.master is not None
    assert [(claim.name, claim.new) for claim in found.worker.storage.claims] == [("sets", None)]
    assert [(claim.name, claim.new) for claim in found.master.storage.claims] == [("mine", None)]
    assert [variable.name for variable in found.master.process.environment] == ["B"]


def test_a_policy_binds_the_master_and_what_it_shares_is_blamed_once() -> None:
    limits = policy(DISTRIBUTED, {"gpu": {"rules": {"max": "4"}}, "cpu": {"rules": {"max": "2"}}})
    spec = {"jobType": "PyTorchJob", "image": value("x"), "cpu": value("3"), "gpu": value("0.5")}
    given = workload(DISTRIBUTED, spec=spec, masterSpec={"gpu": value("5"), "hostIpc": value(True)})
    assert said(given, Cluster(every_policy=[limits])) == [
        "cpu: must be no greater than 2",
        "masterSpec.gpu: must be no greater than 4",
    ]


def test_a_launcher_has_no_gpus_unless_it_says_so() -> None:
    """cluster-api.md 11: and a policy that demands GPUs does not demand them of it."""
    known = Cluster(every_policy=[policy(DISTRIBUTED, {"gpu": {"rules": {"required": True, "max": "4"}}})])
    spec = {"jobType": "MPIJob", "image": value("x"), "gpu": value("2")}
    for own in (None, {"cpu": value("1")}, {"gpu": value("1")}):
        parts: Json = {} if own is None else {"masterSpec": own}
        given = workload(DISTRIBUTED, spec=spec, **parts)
        inheritance = inheritance_now(given, known)
        whole = with_inherited(given, inheritance)
        assert isinstance(whole, DistributedWorkload)
        found = effective_distributed(whole, DEFAULTS)
        assert found.master is not None
        assert inheritance.refusals == ()
        assert found.worker.compute.gpus.devices == 2
        assert found.master.compute.gpus.devices == (1 if own and "gpu" in own else 0)


def test_whoever_wants_no_master_takes_none_from_a_template() -> None:
    base = template(DISTRIBUTED, spec={"image": value("x")}, masterSpec={"cpu": value("2")})
    spec = {"jobType": "PyTorchJob", "baseWorkload": "defaults", "noMaster": value(True)}
    found = read_workload(workload(DISTRIBUTED, spec=spec), Cluster(templates=[base]), DEFAULTS)
    assert isinstance(found, ValidDistributed)
    assert found.master is None


@pytest.mark.parametrize("kind", WORKLOADS)
def test_the_policy_of_the_namespace_takes_the_place_of_the_one_for_all(kind: str) -> None:
    """S25."""
    for_all = policy(kind, {"gpu": {"rules": {"max": "1"}}}, namespace="runai")
    given = workload(kind, spec={"gpu": value("2")})
    assert [str(each) for each in inheritance_now(given, Cluster(every_policy=[for_all])).refusals] == [
        "gpu: must be no greater than 1"
    ]
    own = policy(kind, {"gpu": {"rules": {"max": "2"}}})
    assert inheritance_now(given, Cluster(every_policy=[for_all, own])).refusals == ()


@pytest.mark.parametrize("kind", WORKLOADS)
def test_what_comes_after_submission_passes_a_workload_by(kind: str) -> None:
    """A policy that appears, a template that is deleted."""
    given = workload(kind, spec={"gpu": value("2"), "baseWorkload": "defaults"})
    limits = Cluster(every_policy=[policy(kind, {"gpu": {"rules": {"max": "1"}}})])
    submitted = given.model_copy(update={"status": given.status.model_copy(update={"creation_status": "Submitted"})})
    assert inheritance_now(submitted, limits).refusals == ()
    inherited = Inherited(template=f"{HERE}/defaults", values={"image": value("theirs")})
    kept = given.model_copy(update={"status": given.status.model_copy(update={"inherited": inherited})})
    found = inheritance_now(kept, limits)
    assert (found.values, found.refusals) == ({"image": value("theirs")}, ())
    with pytest.raises(InvalidWorkload, match=r"spec\.baseWorkload: 'defaults' is not allowed"):
        inheritance_now(given, Cluster())


def test_a_template_of_very_many_items_leaves_room_for_the_status() -> None:
    many = {"items": {f"KEY_{number}": value("x") for number in range(MAX_ORIGINS)}}
    base = template(
        "TrainingWorkload", spec={"environment": many, "image": value("x"), "labels": {"items": {"a": value("b")}}}
    )
    given = workload("TrainingWorkload", spec={"baseWorkload": "defaults"})
    taken = inheritance_now(given, Cluster(templates=[base]))
    assert len(taken.origins) == MAX_ORIGINS
    assert len(taken.values["environment"]["items"]) == MAX_ORIGINS


def test_five_hundred_items_are_read_and_each_wrong_one_is_named() -> None:
    items = {f"KEY_{number}": value("x") for number in range(500)}
    given = workload("TrainingWorkload", spec={"image": value("x"), "environment": {"items": items}})
    found = read_workload(given, Cluster(), DEFAULTS)
    assert isinstance(found, ValidSpec)
    assert len(found.pod.process.environment) == 500
    limits = policy("TrainingWorkload", {"environment": {"rules": {"canAdd": False}}})
    assert len(said(given, Cluster(every_policy=[limits]))) == 500


@pytest.mark.parametrize("where", ["workload", "template", "master"])
def test_nobody_goes_round_a_policys_defaults(where: str) -> None:
    """S23: who could replace them could have a new claim where the policy wants existing ones."""
    claims: Json = {
        "itemRules": {"existingPvc": {"canEdit": False}},
        "items": {"DEFAULTS": value({"existingPvc": True})},
    }
    claims["items"]["DEFAULTS"]["value"]["path"] = "nil"
    cluster = Cluster(every_policy=[policy(DISTRIBUTED, {"pvcs": claims})])
    own = {
        "items": {"DEFAULTS": value({"existingPvc": False, "path": "/x"}), "a": value({"path": "/a", "size": "1Gi"})}
    }
    spec: Json = {"jobType": "PyTorchJob", "image": value("x")}
    if where == "template":
        cluster.templates = [template(DISTRIBUTED, spec={"pvcs": own})]
        spec["baseWorkload"] = "defaults"
    parts: Json = {"masterSpec": {"pvcs": own}} if where == "master" else {}
    given = workload(DISTRIBUTED, spec={**spec, **({"pvcs": own} if where == "workload" else {})}, **parts)
    told = said(given, cluster)
    assert any("under another label: DEFAULTS has a meaning in policies only" in sentence for sentence in told)
    named = "masterSpec" if where == "master" else "spec"
    missing = f"{named}.pvcs.items[a].value.claimName: missing"
    assert any(sentence.startswith(missing) for sentence in told), "a claim is an existing one all the same"
