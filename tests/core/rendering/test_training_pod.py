"""What becomes of a workload: its pods and what it has beside them, as golden files, and what holds for all of them."""

import dataclasses
import json
import re
from pathlib import Path
from typing import cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds import TrainingWorkload
from aliquot.contracts.kinds.shapes import outside_name
from aliquot.core.quantities import parse_bytes, parse_cpu_milli
from aliquot.core.rendering import Context, Owner, pod_of
from aliquot.core.rendering.resources import cpu_text, memory_text
from aliquot.core.submission import ValidSpec, effective
from aliquot.core.submission.extent import CARRIED_OUT
from tests.core.rendering.golden_pods import (
    DEFAULTS,
    PROJECT,
    UID,
    beside,
    first_pod,
    golden_objects,
    golden_pods,
    golden_workloads,
    load,
    workload_of,
)

PLAIN = effective(TrainingWorkload.model_validate({"spec": {"image": {"value": "ubuntu"}}}), DEFAULTS)


def a_pod(spec: ValidSpec = PLAIN, index: int = 0, attempt: int = 0, failed: int = 0) -> dict[str, object]:
    owner = Owner("run.ai/v2alpha1", "TrainingWorkload", "runai-team-a", "w", UID)
    return pod_of(spec, Context(owner, PROJECT, "job-0"), index, attempt, failed)


def at(manifest: object, *path: str | int) -> object:
    for step in path:
        manifest = cast("dict[str | int, object]", manifest)[step]
    return manifest


def check_golden(wanted: Path, objects: list[dict[str, object]], update: bool) -> None:
    text = yaml.safe_dump_all(objects, allow_unicode=True, sort_keys=False)
    if update:
        wanted.write_text(text)
    assert wanted.exists(), f"no {wanted}: look at what becomes of it with --update-golden"
    assert text == wanted.read_text(), f"{wanted} differs: read the diff, then --update-golden"


@pytest.mark.parametrize("case", golden_workloads(), ids=lambda case: case.parent.name)
def test_a_workload_becomes_this_pod(case: Path, pytestconfig: pytest.Config) -> None:
    update = bool(pytestconfig.getoption("--update-golden"))
    check_golden(case.with_name("pod.yaml"), [first_pod(workload_of(case))], update)


@pytest.mark.parametrize("case", golden_workloads(), ids=lambda case: case.parent.name)
def test_a_workload_has_this_beside_its_pods(case: Path, pytestconfig: pytest.Config) -> None:
    objects, wanted = beside(workload_of(case)), case.with_name("objects.yaml")
    if objects:
        check_golden(wanted, objects, bool(pytestconfig.getoption("--update-golden")))
    else:
        assert not wanted.exists(), f"nothing becomes of {wanted} any more: delete it"


def test_every_golden_file_has_its_workload() -> None:
    folders = [path.parent for path in golden_workloads()]
    assert [path.parent for path in golden_pods()] == folders
    assert {path.parent for path in golden_objects()} <= set(folders)


def test_every_parameter_that_is_carried_out_has_a_case_of_its_own_and_a_place_in_the_one_of_all() -> None:
    given_by_case = {
        path.parent.name: set(cast("dict[str, object]", load(path)["spec"])) for path in golden_workloads()
    }
    everything = given_by_case.pop("everything")
    parameters = {outside_name(name) for name in CARRIED_OUT} - {"mpi", "processes", "slotsPerWorker"}  # golden_kinds
    for parameter in parameters:
        kebab = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", parameter)
        assert parameter in given_by_case.get(kebab, set()), f"no case {kebab} gives {parameter}"
    of_gpus = {"gpuLimit", "gpuMemory", "gpuMemoryLimit", "migProfile"}
    others = {"namePrefix", "nodePool", *of_gpus, "ttlAfterFinish"}
    assert everything == parameters - others, "they exclude name, nodePools, whole GPUs and the newer spelling"


def test_a_retry_differs_in_name_and_attempt_and_knows_its_failures() -> None:
    first, second = a_pod(index=3), a_pod(index=3, attempt=2, failed=1)
    assert at(first, "metadata", "name") == "job-0-3-0"
    assert at(second, "metadata", "name") == "job-0-3-2"
    assert at(second, "metadata", "labels", "aliquot.dev/attempt") == "2"
    assert at(second, "metadata", "annotations") == {"aliquot.dev/failed-attempts": "1"}
    assert first["spec"] == second["spec"], "whoever runs the same index again finds the same surroundings"


def test_each_index_is_told_which_one_it_is() -> None:
    variables = cast("list[dict[str, object]]", at(a_pod(index=7), "spec", "containers", 0, "env"))
    assert {"name": "POD_INDEX", "value": "7"} in variables


def test_a_pod_belongs_to_its_workload_and_waits_for_our_scheduler() -> None:
    pod = a_pod()
    [reference] = cast("list[dict[str, object]]", at(pod, "metadata", "ownerReferences"))
    assert reference["uid"] == UID
    assert reference["controller"] is True
    assert at(pod, "spec", "schedulerName") == "runai-scheduler"
    assert "nodeName" not in cast("dict[str, object]", pod["spec"])


def test_a_pod_without_gpus_does_not_mention_them() -> None:
    assert "resources" not in cast("dict[str, object]", at(a_pod(), "spec", "containers", 0))
    compute = dataclasses.replace(PLAIN.pod.compute, cpu_milli=100, memory_limit_bytes=10)
    assert "nvidia" not in json.dumps(
        a_pod(dataclasses.replace(PLAIN, pod=dataclasses.replace(PLAIN.pod, compute=compute)))
    )


def test_a_workload_with_a_very_long_name_still_labels_its_pods() -> None:
    owner = Owner("run.ai/v2alpha1", "TrainingWorkload", "runai-team-a", "w" * 253, UID)
    label = at(pod_of(PLAIN, Context(owner, PROJECT, "job-0"), 0, 0, 0), "metadata", "labels", "workloadName")
    assert isinstance(label, str)
    assert len(label) <= 63


def test_a_chosen_name_that_somebody_spoiled_still_gives_a_valid_pod() -> None:
    owner = Owner("run.ai/v2alpha1", "TrainingWorkload", "runai-team-a", "w", UID)
    pod = pod_of(PLAIN, Context(owner, PROJECT, "../Größe"), 0, 0, 0)
    for name in (at(pod, "metadata", "name"), at(pod, "spec", "containers", 0, "name")):
        assert isinstance(name, str)
        assert re.fullmatch("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name)


def test_only_the_project_and_the_jobs_name_are_put_into_command_lines() -> None:
    words = ("${RUNAI_PROJECT}/${RUNAI_JOB_NAME}", "${HOME}", "$(JOB_NAME)", "$$")
    process = dataclasses.replace(PLAIN.pod.process, command=words)
    pod = a_pod(dataclasses.replace(PLAIN, pod=dataclasses.replace(PLAIN.pod, process=process)))
    assert at(pod, "spec", "containers", 0, "command") == ["team-a/job-0", "${HOME}", "$(JOB_NAME)", "$$"]


def test_the_largest_workload_fits_into_what_the_api_server_stores() -> None:
    spec = {
        "image": {"value": "i" * 1024},
        "command": {"value": "c" * 128 * 1024},
        "arguments": {"value": "a" * 128 * 1024},
        "environment": {"items": {f"VARIABLE_{n:03}": {"value": "x" * 249} for n in range(1000)}},
        "annotations": {"items": {f"annotation-{n}": {"value": "x" * 30_000} for n in range(8)}},
        "labels": {"items": {f"{'p' * 253}/{n:063}": {"value": "v" * 63} for n in range(1000)}},
    }
    pod = first_pod(TrainingWorkload.model_validate({"metadata": {"name": "w"}, "kind": "T", "spec": spec}))
    assert len(json.dumps(pod).encode()) < 1.25 * 2**20, "the rest is for defaults, field owners and the status"


@given(st.integers(0, 10**8))
def test_cpu_is_written_without_loss(milli: int) -> None:
    assert parse_cpu_milli(cpu_text(milli)) == milli


@given(st.one_of(st.integers(0, 64 * 2**40), st.integers(0, 2**16).map(lambda n: n * 2**30)))
def test_memory_is_written_without_loss(amount: int) -> None:
    assert parse_bytes(memory_text(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (1, "1"), (1024, "1Ki"), (1536 * 2**20, "1536Mi"), (2**40, "1Ti"), (10**9, "1G"), (15 * 10**8, "1500M")],
)
def test_memory_is_written_as_people_do(amount: int, text: str) -> None:
    assert memory_text(amount) == text
