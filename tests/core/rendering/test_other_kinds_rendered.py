"""What becomes of workloads that are more than one simple pod, as golden files, and what holds for all of them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts import kubernetes
from aliquot.core.intake.pods import pod_facts, pod_problems
from aliquot.core.rendering import (
    REQUEST_METRICS,
    Context,
    external_urls,
    gang_pod,
    gang_service,
    mpi_version,
    pod_of,
    serving_notes,
)
from aliquot.core.rendering.mpi import NO_MPI
from aliquot.core.submission import ValidDistributed, ValidInference, ValidInteractive
from aliquot.core.submission.pod_values import Network, Port, Security
from aliquot.names import MAIN_CONTAINER_ANNOTATION
from tests.core.rendering.golden_manifests import GOLDEN, distributed, golden_workloads, interactive, manifests

CASES = [(path, name) for path in golden_workloads() for name in manifests(path)]
DNS_LABEL = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
TORCH, WHERE = distributed(GOLDEN / "pytorch" / "workload.yaml")


@pytest.mark.parametrize(("path", "name"), CASES, ids=[f"{path.parent.name}/{name}" for path, name in CASES])
def test_a_workload_becomes_this(path: Path, name: str, pytestconfig: pytest.Config) -> None:
    text = yaml.dump_all(manifests(path)[name], Dumper=WithoutAnchors, allow_unicode=True, sort_keys=False)
    wanted = path.with_name(name)
    if pytestconfig.getoption("--update-golden"):
        wanted.write_text(text)
    assert wanted.exists(), f"no {wanted}: look at what becomes of it with --update-golden"
    assert text == wanted.read_text(), f"{wanted} differs: read the diff, then --update-golden"


class WithoutAnchors(yaml.SafeDumper):
    """Writes what stands in several places out in each."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def test_every_golden_file_has_its_case() -> None:
    files = {path for path in GOLDEN.glob("*/*.yaml") if path.name != "workload.yaml"}
    assert files == {path.with_name(name) for path, name in CASES}


def pod(spec: ValidDistributed, where: Context, rank: int, attempt: int = 0) -> dict[str, Any]:
    return cast("dict[str, Any]", gang_pod(spec, where, rank, attempt, 0))


def variables(manifest: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in manifest["spec"]["containers"][0]["env"]}


SIZES = st.integers(1, 5)
NAMES = st.one_of(st.text("ab-c0", min_size=1, max_size=70), st.just("job"), st.just("x" * 63))


@given(SIZES, st.booleans(), st.sampled_from(["PyTorchJob", "TFJob", "XGBoostJob"]), NAMES)
def test_members_find_one_another(workers: int, master: bool, job_type: Any, name: str) -> None:
    spec = replace(TORCH, job_type=job_type, workers=workers, master=TORCH.master if master else None)
    where = replace(WHERE, job_name=name)
    service = cast("dict[str, Any]", gang_service(spec, where))
    pods = [pod(spec, where, rank) for rank in range(spec.size)]
    addresses = [f"{each['spec']['hostname']}.{each['spec']['subdomain']}" for each in pods]
    assert len(set(addresses)) == spec.size
    assert len({each["metadata"]["name"] for each in pods}) == spec.size
    for each in pods:
        assert DNS_LABEL.fullmatch(each["spec"]["hostname"])
        assert each["spec"]["subdomain"] == service["metadata"]["name"], "the Service gives it its name"
        assert service["spec"]["selector"].items() <= each["metadata"]["labels"].items()
    told = [variables(each) for each in pods]
    if job_type == "TFJob":
        clusters = [json.loads(each["TF_CONFIG"])["cluster"] for each in told]
        tasks = [json.loads(each["TF_CONFIG"])["task"] for each in told]
        assert all(cluster == clusters[0] for cluster in clusters)
        own = [clusters[0][task["type"]][task["index"]] for task in tasks]
        assert own == [f"{address}:2222" for address in addresses]
    else:
        assert {each["MASTER_ADDR"] for each in told} == {addresses[0]}
        assert [each["RANK"] for each in told] == [str(rank) for rank in range(spec.size)]
        assert {each["WORLD_SIZE"] for each in told} == {str(spec.size)}


@given(SIZES, st.booleans())
def test_the_scheduler_takes_the_pods_for_one_gang(workers: int, elastic: bool) -> None:
    spec = replace(TORCH, workers=workers)
    spec = replace(spec, elastic=(1, spec.size)) if elastic else spec
    found = [msgspec.convert(pod(spec, WHERE, rank), kubernetes.Pod) for rank in range(spec.size)]
    assert all(pod_problems(each) == () for each in found)
    jobs = [pod_facts(each, None).job for each in found]
    assert {job.id for job in jobs} == {"runai-team-a/llm-6d1b2f8e"}
    assert {job.min_member for job in jobs} == {1 if elastic else workers + 1}


def test_a_rank_keeps_its_host_name_when_it_is_made_anew() -> None:
    first, second = pod(TORCH, WHERE, 1), pod(TORCH, WHERE, 1, attempt=3)
    assert (first["metadata"]["name"], second["metadata"]["name"]) == ("llm-1-0", "llm-1-3")
    assert first["spec"] == second["spec"]


@pytest.mark.parametrize(
    ("served", "version"),
    [(["v1"], "v1"), (["v1", "v2beta1"], "v2beta1"), (["v2beta1", "v2"], "v2beta1"), (["v1alpha2"], None), ([], None)],
)
def test_the_version_of_an_mpi_job_is_one_that_is_served(served: list[str], version: str | None) -> None:
    assert mpi_version(served) == version


def test_a_cluster_without_mpi_says_what_to_do() -> None:
    assert "MPIJob of kubeflow.org/v2beta1 or v1" in NO_MPI
    assert "install" in NO_MPI


def test_an_update_of_a_service_never_takes_more_gpus_than_it_has() -> None:
    objects = manifests(GOLDEN / "inference" / "workload.yaml")["deployment.yaml"]
    [deployment] = [each for each in objects if each["kind"] == "Deployment"]
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0
    assert "replicas" not in deployment["spec"], "the autoscaler's number is not undone"


@pytest.mark.parametrize(
    ("least", "most", "metrics", "told"),
    [
        (1, 1, (), []),
        (0, 1, (), ["one pod stays"]),
        (1, 3, (), ["does not follow the load"]),
        (1, 3, REQUEST_METRICS.values(), []),
        (0, None, (), ["one pod stays", "does not follow the load"]),
    ],
)
def test_a_service_without_knative_says_what_is_not_possible(
    least: int, most: int | None, metrics: list[str], told: list[str]
) -> None:
    spec = ValidInference(pod=TORCH.worker, port=8000, min_scale=least, max_scale=most)
    address, *rest = serving_notes(spec, WHERE, metrics)
    assert address == "it answers at http://llm.runai-team-a.svc"
    assert [each for each, part in zip(rest, told, strict=True) if part not in each] == []


BOARD, LAB = interactive(GOLDEN / "tensorboard" / "workload.yaml")


def containers(spec: ValidInteractive, where: Context) -> list[dict[str, Any]]:
    return cast("dict[str, Any]", pod_of(spec, where, 0, 0, 0))["spec"]["containers"]


@given(NAMES)
def test_tensorboard_is_another_container_than_the_main_one(name: str) -> None:
    where = replace(LAB, job_name=name)
    made = cast("dict[str, Any]", pod_of(BOARD, where, 0, 0, 0))
    main, board = made["spec"]["containers"]
    assert main["name"] != board["name"]
    assert made["metadata"]["annotations"][MAIN_CONTAINER_ANNOTATION] == main["name"]
    assert all(DNS_LABEL.fullmatch(each["name"]) for each in (main, board))


def test_tensorboard_is_served_below_the_path_of_its_address() -> None:
    for case in ("tensorboard", "tensorboard-jupyter"):
        spec, where = interactive(GOLDEN / case / "workload.yaml")
        [url] = external_urls(spec.pod, where)
        [_, board] = containers(spec, where)
        assert f"--path_prefix={url.removeprefix(f'https://{where.domain}')}" in board["args"]
    inside = replace(BOARD.pod, network=Network(ports=(Port(container=6006, service_type="ClusterIP"),)))
    assert not any("path_prefix" in each for each in containers(replace(BOARD, pod=inside), LAB)[1]["args"])


@pytest.mark.parametrize(
    ("restricted", "uid", "non_root", "runs_as"),
    [
        (False, None, None, None),
        (False, None, True, 65534),
        (True, None, None, 65534),
        (True, 1000, None, None),
        (True, None, False, None),
    ],
)
def test_tensorboard_runs_where_root_may_not(
    restricted: bool, uid: int | None, non_root: bool | None, runs_as: int | None
) -> None:
    pod = replace(BOARD.pod, security=Security(uid=uid, non_root=non_root, capabilities=("SYS_NICE",)))
    [_, board] = containers(replace(BOARD, pod=pod), replace(LAB, restricted=restricted))
    assert board["securityContext"] == {
        **({} if runs_as is None else {"runAsUser": runs_as}),
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }


def test_only_the_directories_with_its_logs_are_in_tensorboards_container() -> None:
    main, board = containers(BOARD, LAB)
    assert {each["mountPath"] for each in main["volumeMounts"]} == {"/data", "/results", "/results/runs/old"}
    assert {each["mountPath"]: each["readOnly"] for each in board["volumeMounts"]} == {
        "/results": True,
        "/results/runs/old": True,
    }
