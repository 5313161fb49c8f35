"""What is written on pods that get parts of GPUs, and on those that hold them; and that it is read again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts.kubernetes import (
    AllocatedDevice,
    AllocatedResource,
    ContainerStatus,
    Metadata,
    Pod,
    PodStatus,
)
from aliquot.core.grants import (
    Hold,
    Record,
    Reservation,
    mps_annotations,
    recorded_devices,
    recorded_gpus,
    reservation_of,
    reservation_pod,
    reserved_gpu,
)
from aliquot.core.intake import devices_of

LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
node_names = st.from_regex(r"[a-z]([-a-z0-9]{0,60}[a-z0-9])?(\.[a-z]([-a-z0-9]{0,60}[a-z0-9])?){0,3}", fullmatch=True)


@st.composite
def records(draw: st.DrawFn) -> Record:
    node, count = draw(node_names.filter(lambda name: len(name) <= 253)), draw(st.integers(1, 8))
    gpus = tuple(f"{node}-shared-{number + 1}" for number in range(count))
    return Record(gpus, tuple(f"GPU-{number}" for number in range(count)), draw(st.integers(1, 99)))


@given(records())
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    annotations = record.annotations()
    assert recorded_gpus(annotations) == record.gpus
    assert recorded_devices(annotations) == dict(zip(record.gpus, record.devices, strict=True))
    written = Metadata(annotations=annotations, labels=record.labels())
    assert devices_of(written) == tuple(sorted(record.gpus))


ASKED = {"mps": "true", "gpu-fraction": "0.25"}
MEMORY = {"mps": "true", "gpu-memory": "4096"}
MPS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "a fraction": (ASKED, {"memory-limit": "0=20000M,1=20000M", "thread-percentage": "25"}),
    "its limit": (ASKED | {"runai-gpu-limit": "0.5"}, {"memory-limit": "0=40000M,1=40000M", "thread-percentage": "25"}),
    "memory": (MEMORY, {"memory-limit": "0=4096M,1=4096M", "thread-percentage": "25"}),
    "its limit of memory": (
        MEMORY | {"runai-gpu-limit": "8Gi"},
        {"memory-limit": "0=8192M,1=8192M", "thread-percentage": "25"},
    ),
    "without the service": (ASKED | {"mps": "false"}, {}),
    "nothing said of it": ({"gpu-fraction": "0.25"}, {}),
}


@pytest.mark.parametrize(("annotations", "wanted"), MPS.values(), ids=MPS)
def test_limits_of_pods_that_share_through_a_service(annotations: dict[str, str], wanted: dict[str, str]) -> None:
    limits = mps_annotations(annotations, 25, 2, 80_000)
    assert limits == {f"aliquot.dev/mps-{key}": value for key, value in wanted.items()}
    assert limits.items() <= Record(("g",), ("GPU-a",), 25, limits).annotations().items()


def test_of_a_device_whose_memory_nobody_knows_there_is_no_limit_of_memory() -> None:
    assert mps_annotations(ASKED, 25, 1, 0) == {"aliquot.dev/mps-thread-percentage": "25"}
    assert mps_annotations(MEMORY, 1, 1, 0)["aliquot.dev/mps-memory-limit"] == "0=4096M"


@given(records())
def test_labels_are_such_as_kubernetes_takes(record: Record) -> None:
    labels = record.labels()
    assert len(labels) == len(record.gpus)
    for key, value in labels.items():
        assert key.partition("/")[0] == names.GPU_GROUP_LABEL
        assert LABEL.fullmatch(value)
        assert LABEL.fullmatch(key.rpartition("/")[2])


@pytest.mark.parametrize(
    ("percent", "gpus", "portion", "number"),
    [
        (50, 1, "0.5", "0.5"),
        (33, 3, "0.33", "0.99"),
        (50, 2, "0.5", "1"),
        (5, 1, "0.05", "0.05"),
        (90, 2, "0.9", "1.8"),
    ],
)
def test_containers_are_told_their_part_as_a_decimal(percent: int, gpus: int, portion: str, number: str) -> None:
    written = Record(("a",) * gpus, ("b",) * gpus, percent).annotations()
    assert (written[names.GPU_PORTION_ANNOTATION], written[names.NUMBER_OF_GPUS_ANNOTATION]) == (portion, number)


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        {names.SHARED_GPUS_ANNOTATION: ""},
        {names.SHARED_GPUS_ANNOTATION: "a,b", names.GPU_IDS_ANNOTATION: "GPU-1"},
        {names.SHARED_GPUS_ANNOTATION: "a"},
        {names.GPU_IDS_ANNOTATION: "GPU-1"},
    ],
)
def test_a_record_that_makes_no_sense_names_no_devices(annotations: dict[str, str]) -> None:
    assert recorded_devices(annotations) == {}


# Reservations


def made(gpu: str = "n1-shared-1", *, status: PodStatus = PodStatus(), **metadata: object) -> Pod:
    manifest = reservation_pod(Metadata(name="n1", uid="uid of n1"), gpu, "pause")
    written = manifest["metadata"]
    assert isinstance(written, dict)
    whole: dict[str, object] = {**written, **metadata}
    found = {key: whole[key] for key in ("name", "namespace", "annotations", "labels")}
    return Pod(metadata=Metadata(**found, deletion_timestamp=whole.get("deleted")), status=status)  # pyright: ignore


def holding(*devices: str, resource: str = names.GPU_RESOURCE) -> PodStatus:
    allocated = AllocatedResource(name=resource, resources=tuple(AllocatedDevice(resource_id=each) for each in devices))
    return PodStatus(container_statuses=(ContainerStatus(allocated_resources_status=(allocated,)),))


def test_a_reservation_is_known_by_its_namespace_its_name_and_what_it_holds() -> None:
    assert reserved_gpu(made()) == "n1-shared-1"
    assert reserved_gpu(made(namespace="runai-a")) == ""
    assert reserved_gpu(made(name="mine")) == ""
    assert reserved_gpu(made(annotations={})) == ""


@given(node_names, st.integers(1, 16))
def test_its_name_can_be_a_host_name(node: str, number: int) -> None:
    manifest = reservation_pod(Metadata(name=node), f"{node}-shared-{number}", "pause")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", str(manifest["metadata"]["name"]))  # pyright: ignore


HOLDS: dict[str, tuple[Pod, bool, Reservation]] = {
    "just made": (made(), False, Reservation(Hold.ASKED)),
    "nobody says which device": (made(), True, Reservation(Hold.REFUSED)),
    "its kubelet says it": (made(status=holding("GPU-7")), False, Reservation(Hold.HELD, "GPU-7")),
    "late, but it says it": (made(status=holding("GPU-7")), True, Reservation(Hold.HELD, "GPU-7")),
    "it has another resource": (made(status=holding("x", resource="example.com/x")), False, Reservation(Hold.ASKED)),
    "the agent says it": (
        made(annotations={names.RESERVED_GPU_ANNOTATION: "GPU-8"}),
        False,
        Reservation(Hold.HELD, "GPU-8"),
    ),
    "refused by its kubelet": (made(status=PodStatus(phase="Failed")), False, Reservation(Hold.REFUSED)),
    "being deleted": (made(status=holding("GPU-7"), deleted="2026-01-01T00:00:00Z"), False, Reservation(Hold.ENDING)),
}


@pytest.mark.parametrize(("pod", "overdue", "found"), HOLDS.values(), ids=HOLDS.keys())
def test_how_a_reservation_is_doing(pod: Pod, overdue: bool, found: Reservation) -> None:
    assert reservation_of(pod, overdue=overdue) == found
