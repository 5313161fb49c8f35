"""What interactive, inference and distributed workloads say beside what all pods have in common."""

from collections.abc import Callable
from typing import Any

import pytest

from aliquot.contracts.kinds.workloads import DistributedWorkload, InferenceWorkload, InteractiveWorkload
from aliquot.core.submission import (
    Defaults,
    InvalidWorkload,
    ValidDistributed,
    ValidInference,
    ValidInteractive,
    effective_distributed,
    effective_inference,
    effective_interactive,
)
from aliquot.core.submission.extent import PARAMETERS, not_carried_out
from aliquot.core.submission.pod_values import Gpus, Port

DEFAULTS = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=0)
IMAGE: dict[str, Any] = {"image": {"value": "ubuntu"}}
PORT: dict[str, Any] = {"ports": {"items": {"port1": {"value": {"container": 8000}}}}}


def interactive(**spec: Any) -> ValidInteractive:
    return effective_interactive(InteractiveWorkload.model_validate({"spec": {**IMAGE, **spec}}), DEFAULTS)


def inference(**spec: Any) -> ValidInference:
    return effective_inference(InferenceWorkload.model_validate({"spec": {**IMAGE, **PORT, **spec}}), DEFAULTS)


def distributed(master: dict[str, Any] | None = None, **spec: Any) -> ValidDistributed:
    written = {"spec": {**IMAGE, "jobType": "PyTorchJob", **spec}, **({} if master is None else {"masterSpec": master})}
    return effective_distributed(DistributedWorkload.model_validate(written), DEFAULTS)


def value(written: Any) -> dict[str, Any]:
    return {"value": written}


@pytest.mark.parametrize(
    ("spec", "labels", "name"),
    [
        ({}, {}, "build"),
        ({"preemptible": value(False)}, {}, "build"),
        ({"preemptible": value(True)}, {}, "interactive-preemptible"),
        ({"preemptible": value(True)}, {"priorityClassName": "urgent"}, "urgent"),
    ],
)
def test_an_interactive_workload_keeps_its_gpus_unless_it_is_preemptible(
    spec: dict[str, Any], labels: dict[str, str], name: str
) -> None:
    workload = InteractiveWorkload.model_validate({"metadata": {"labels": labels}, "spec": {**IMAGE, **spec}})
    assert effective_interactive(workload, DEFAULTS).pod.priority_class == name


def test_a_notebook_has_an_image_a_port_and_a_path_of_its_own() -> None:
    found = interactive(image={}, jupyter=value(True), notebookToken=value("$(x)")).pod
    assert found.process.image == "quay.io/jupyter/scipy-notebook:latest"
    assert found.process.arguments == (
        "start-notebook.py",
        "--ServerApp.base_url=/${RUNAI_PROJECT}/${RUNAI_JOB_NAME}",
        "--IdentityProvider.token=$$(x)",
    )
    assert found.network.ports == (Port(container=8888, service_type="ClusterIP"),)


def test_a_notebook_may_be_the_users_own() -> None:
    ports = {"items": {"ui": value({"container": 8888, "serviceType": "NodePort"})}}
    found = interactive(jupyter=value(True), command=value("jupyter lab"), ports=ports).pod
    assert (found.process.image, found.process.command, found.process.arguments) == ("ubuntu", ("jupyter", "lab"), ())
    assert found.network.ports == (Port(container=8888, service_type="NodePort"),)


def test_an_inference_workload_as_documented() -> None:  # cluster-api.md 1.3
    found = inference(
        gpu=value("0.5"), minScale=value(1), maxScale=value(2), metric=value("concurrency"), target=value(80)
    )
    assert (found.port, found.min_scale, found.max_scale, found.metric, found.target) == (8000, 1, 2, "concurrency", 80)
    assert found.pod.priority_class == "inference"


def test_a_master_is_like_the_workers_where_it_says_nothing_else() -> None:
    found = distributed({"cpu": value("2"), "gpuDevices": value(1)}, gpu=value("0.5"), cpu=value("8"), workers=value(3))
    assert found.workers == 3
    assert found.master is not None
    assert found.master.process == found.worker.process
    assert (found.worker.compute.cpu_milli, found.master.compute.cpu_milli) == (8000, 2000)
    assert found.master.compute.gpus == Gpus(devices=1), "what says how many GPUs there are is taken all together"
    assert distributed().master == distributed().worker
    assert distributed(noMaster=value(True)).master is None


def test_what_only_distributed_workloads_say() -> None:
    found = distributed(
        nonPreemptible=value(True),
        replicas=value(4),
        pyTorchJob={"values": {"minReplicas": value(2)}},
        runPolicy={"values": {"backoffLimit": value(3), "cleanPodPolicy": value("All")}},
    )
    assert found.worker.priority_class == "build"
    assert (found.workers, found.elastic, found.backoff_limit, found.clean_pod_policy) == (4, (2, 5), 3, "All")


@pytest.mark.parametrize(
    ("spec", "size", "least"),
    [
        ({"workers": value(3)}, 4, 4),
        ({"workers": value(3), "noMaster": value(True)}, 3, 3),
        ({"workers": value(2), "pyTorchJob": {"values": {"minReplicas": value(1), "maxReplicas": value(3)}}}, 3, 1),
        ({"workers": value(2), "pyTorchJob": {"values": {"maxReplicas": value(8)}}}, 8, 1),
        ({"workers": value(1), "pyTorchJob": {"values": {"minReplicas": value(4)}}}, 4, 4),
    ],
)
def test_how_many_pods_there_are_and_must_be(spec: dict[str, Any], size: int, least: int) -> None:
    found = distributed(**spec)
    assert (found.size, found.least) == (size, least)


def test_a_launcher_has_gpus_only_if_its_own_part_says_so() -> None:
    mpi: dict[str, Any] = {"jobType": "MPIJob", "gpuDevices": value(4), "memory": value("4G")}
    gpus = [distributed(own, **mpi).gpus(0) for own in (None, {}, {"gpuDevices": value(1)})]
    assert gpus == [0, 0, 1]
    launcher = distributed(**mpi).pod(0)
    assert launcher.compute.memory_bytes == 4 * 10**9, "all else is as for the workers"
    assert distributed(**mpi).gpus(1) == 4


Refusal = tuple[Callable[..., object], dict[str, Any], str, str]
REFUSED: list[Refusal] = [
    (interactive, {"image": {}}, "spec.image.value", "a container image"),
    (interactive, {"notebookToken": value("t")}, "spec.notebookToken.value", "spec.jupyter is not true"),
    (interactive, {"mpi": value(True)}, "spec.mpi", "a DistributedWorkload with jobType MPIJob"),
    (interactive, {"processes": value(2)}, "spec.processes", "a DistributedWorkload with jobType MPIJob"),
    (interactive, {"slotsPerWorker": value(2)}, "spec.slotsPerWorker", "a DistributedWorkload with jobType MPIJob"),
    (inference, {"ports": {}}, "spec.ports", "one port of the container"),
    (inference, {"maxScale": value(0)}, "spec.maxScale.value", "from 1 to"),
    (inference, {"minScale": value(3), "maxScale": value(2)}, "spec.maxScale.value", "from 3 to"),
    (inference, {"metric": value("latency")}, "spec.metric.value", "concurrency"),
    (inference, {"metricName": value("x")}, "spec.metricName.value", "spec.metric says"),
    (inference, {"mps": value(True)}, "spec.mps.value", "only pods with a part of a GPU"),
    (distributed, {"jobType": None}, "spec.jobType", "MPIJob, PyTorchJob, TFJob or XGBoostJob"),
    (distributed, {"workers": value(0)}, "spec.workers.value", "from 1 to"),
    (distributed, {"workers": value(2), "replicas": value(2)}, "spec.replicas.value", "left out"),
    (distributed, {"noMaster": value(True), "master": {}}, "spec.noMaster.value", "masterSpec says"),
    (distributed, {"noMaster": value(True), "jobType": "MPIJob"}, "spec.noMaster.value", "needs its launcher"),
    (distributed, {"noMaster": value(True), "jobType": "XGBoostJob"}, "spec.noMaster.value", "needs its master"),
    (distributed, {"jobType": "TFJob", "workers": value(901)}, "spec.workers.value", "from 1 to 900"),
    (distributed, {"master": {"gpu": value("x")}}, "masterSpec.gpu.value", "a whole number of GPUs"),
    (distributed, {"gpu": value("x"), "master": {}}, "spec.gpu.value", "a whole number of GPUs"),
    (
        distributed,
        {"runPolicy": {"values": {"cleanPodPolicy": value("Some")}}},
        "spec.runPolicy.values.cleanPodPolicy.value",
        "Running, All or None",
    ),
    (
        distributed,
        {"pyTorchJob": {"values": {"minReplicas": value(3), "maxReplicas": value(2)}}},
        "spec.pyTorchJob.values.maxReplicas.value",
        "from minReplicas, which is 3",
    ),
    (
        distributed,
        {"jobType": "TFJob", "pyTorchJob": {"values": {"minReplicas": value(1)}}},
        "spec.pyTorchJob",
        "spec.jobType is not PyTorchJob",
    ),
    (inference, {"preemptionLimit": value(3)}, "spec.preemptionLimit.value", "never ends by itself"),
    (
        distributed,
        {"preemptionLimit": value(3), "master": {"preemptionLimit": value(2)}},
        "masterSpec.preemptionLimit.value",
        "that of the whole gang",
    ),
]


@pytest.mark.parametrize(
    ("read", "spec", "bears"),
    [
        (interactive, {}, None),
        (interactive, {"preemptionLimit": value(2)}, 2),
        (interactive, {"preemptionLimit": value(2), "terminateAfterPreemption": value(False)}, 2),
        (interactive, {"preemptionLimit": value(2), "terminateAfterPreemption": value(True)}, 0),
        (distributed, {"preemptionLimit": value(0)}, 0),
        (distributed, {"jobType": "MPIJob", "preemptionLimit": value(3)}, 3),
        (distributed, {"preemptionLimit": value(2), "master": {"preemptionLimit": value(2)}}, 2),
    ],
)
def test_how_many_preemptions_a_workload_bears(read: Callable[..., Any], spec: dict[str, Any], bears: int) -> None:
    assert read(**spec).preemption_limit == bears


@pytest.mark.parametrize(
    ("read", "spec", "field", "said"), REFUSED, ids=[f"{field} {n}" for n, (*_, field, _) in enumerate(REFUSED)]
)
def test_what_makes_no_sense_is_refused_by_field(
    read: Callable[..., object], spec: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidWorkload) as caught:
        read(**spec)
    [error] = caught.value.errors
    assert error.field == field
    assert said in error.allowed


def test_every_refusal_is_of_a_parameter_that_exists() -> None:
    for kind in PARAMETERS:
        assert not_carried_out(kind).keys() <= kind.model_fields.keys()
