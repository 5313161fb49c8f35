"""What Prometheus reads, by its official parser."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from aliquot.agent.attribution import Container, Grant, PodOnNode, PodRef, Usage, attribute
from aliquot.agent.exporter import Collector, View
from aliquot.agent.exporter.view import Health
from aliquot.agent.nvml import Device, EccErrors, Memory, MigInstance, Process, RemappedRows, Snapshot
from aliquot.agent.pod_resources import Assignment
from aliquot.contracts.metrics.page import CATALOGUE

MIB = 1 << 20
UUID = "GPU-0"
WELL = Health(
    nvml_up=True,
    age_seconds=1,
    duration_seconds=0.02,
    hung_seconds=0,
    failed_readings=1,
    errors={("nvmlDeviceGetPowerUsage", "Unknown Error"): 3},
    refused={"nvmlDeviceGetName": 2},
    kubelet_answering=True,
    pods_known=True,
)
FULL = Device(
    index=0,
    uuid=UUID,
    name="NVIDIA H100",
    pci_bus_id="00000000:17:00.0",
    state="ok",
    memory=Memory(80_000 * MIB, 1_000 * MIB, 78_500 * MIB, 500 * MIB),
    processes=(Process(1, 600 * MIB, 30.0), Process(2, 100 * MIB, 10.0)),
    utilization_percent=40,
    copy_utilization_percent=5,
    encoder_utilization_percent=6,
    decoder_utilization_percent=7,
    temperature_celsius=50,
    memory_temperature_celsius=60,
    power_milliwatts=300_500,
    power_limit_milliwatts=700_000,
    energy_millijoules=12_500,
    sm_clock_mhz=1_755,
    memory_clock_mhz=2_619,
    pcie_replays=1,
    ecc=EccErrors(1, 2, 3, 4),
    remapped_rows=RemappedRows(5, 6, pending=True, failed=False),
    xids=((31, 2), (79, 1)),
    last_xid=79,
    not_supported=("nvmlDeviceGetFanSpeed",),
)
MIG = replace(
    FULL,
    index=1,
    uuid="GPU-1",
    processes=(),
    utilization_percent=None,
    mig=(MigInstance("MIG-1", "1g.10gb", 7, Memory(10_000 * MIB, 10 * MIB, 9_990 * MIB, 0), ()),),
)
BARE = Device(2, "GPU-2", "", "", "lost")
A = PodRef("team", "a", "uid-a")


def usage(*devices: Device, pod: PodRef = A, grant: Grant | None = None, whole: str = "") -> Usage:
    return attribute(
        Snapshot("580.95.05", devices),
        {1: Container("c" * 64, pod.uid)},
        [PodOnNode(pod, (grant or Grant(UUID, 25),))] if not whole else [PodOnNode(pod)],
        [Assignment(pod.namespace, pod.name, "main", "nvidia.com/gpu", (whole,))] if whole else [],
        "runai-reservation",
    )


def shown(view: View) -> dict[str, Family]:
    """What a scrape gives, read by the parser of Prometheus' own library."""
    registry = CollectorRegistry()
    registry.register(Collector(lambda: view))
    return {family.name: family for family in text_string_to_metric_families(generate_latest(registry).decode())}


def of(seen: Usage | None, health: Health = WELL) -> View:
    return View("n1", "c1", health, "580.95.05", seen, {A: 60}, {UUID: 1_800_000_000.0})


def value(families: dict[str, Family], name: str, **labels: str) -> float:
    """The one sample that has these labels among its own."""
    family = families.get(name) or families[name.removesuffix("_total")]
    [found] = [sample.value for sample in family.samples if labels.items() <= sample.labels.items()]
    return found


def test_every_metric_of_the_catalogue_is_shown_and_no_other() -> None:
    families = shown(of(usage(FULL, MIG)))
    samples = {sample.name for family in families.values() for sample in family.samples}
    assert samples == {metric.name for metric in CATALOGUE}


def test_types_and_texts_are_those_of_the_catalogue() -> None:
    families = shown(of(usage(FULL, MIG)))
    for metric in CATALOGUE:
        family = families[metric.name.removesuffix("_total") if metric.type == "counter" else metric.name]
        assert (family.type, family.documentation) == (metric.type.replace("untyped", "unknown"), metric.help)


VALUES: dict[str, tuple[float, dict[str, str]]] = {
    "aliquot_gpu_utilization_ratio": (0.4, {"uuid": UUID}),
    "DCGM_FI_DEV_GPU_UTIL": (40, {"UUID": UUID, "gpu": "0", "device": "nvidia0", "Hostname": "n1"}),
    "DCGM_FI_DEV_FB_USED": (1_000, {"UUID": UUID, "modelName": "NVIDIA H100", "pci_bus_id": "00000000:17:00.0"}),
    "aliquot_gpu_memory_used_bytes": (1_000 * MIB, {"uuid": UUID}),
    "aliquot_gpu_power_watts": (300.5, {"uuid": UUID}),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": (12_500, {"UUID": UUID}),
    "aliquot_gpu_energy_joules_total": (12.5, {"uuid": UUID}),
    "aliquot_gpu_sm_clock_hertz": (1.755e9, {"uuid": UUID}),
    "DCGM_FI_DEV_SM_CLOCK": (1_755, {"UUID": UUID, "DCGM_FI_DRIVER_VERSION": "580.95.05"}),
    "aliquot_gpu_ecc_errors_total": (4, {"uuid": UUID, "severity": "uncorrected", "period": "lifetime"}),
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": (2, {"UUID": UUID}),
    "aliquot_gpu_xid_errors_total": (2, {"uuid": UUID, "xid": "31"}),
    "DCGM_FI_DEV_XID_ERRORS": (79, {"UUID": UUID}),
    "aliquot_gpu_state": (1, {"uuid": UUID, "state": "ok"}),
    "aliquot_gpu_allocated_ratio": (0.25, {"uuid": UUID}),
    "aliquot_gpu_stray_memory_bytes": (100 * MIB, {"uuid": UUID}),
    "aliquot_gpu_mig_memory_used_bytes": (10 * MIB, {"mig_uuid": "MIG-1", "profile": "1g.10gb"}),
    "aliquot_pod_gpu_memory_used_bytes": (
        600 * MIB,
        {"uuid": UUID, "pod": "a", "namespace": "team", "pod_uid": "uid-a"},
    ),
    "aliquot_pod_gpu_memory_limit_bytes": (20_000 * MIB, {"pod": "a"}),
    "aliquot_pod_gpu_utilization_ratio": (0.3, {"pod": "a"}),
    "aliquot_pod_gpu_idle_seconds": (60, {"pod": "a"}),
    "runai_gpu_memory_used_mebibytes_per_pod_per_gpu": (600, {"pod_name": "a", "pod_uuid": "uid-a", "gpu": "0"}),
    "runai_gpu_utilization_per_pod_per_gpu": (30, {"pod_namespace": "team", "node": "n1", "clusterId": "c1"}),
    "runai_allocated_gpu_count_per_pod": (0.25, {"pod_name": "a"}),
    "runai_allocated_gpu_count_per_gpu": (1, {"gpu": "0"}),
    "runai_allocated_gpu_count_per_node": (0.25, {"node": "n1"}),
    "runai_gpu_memory_total_mebibytes_per_node": (160_000, {"node": "n1"}),
    "runai_gpu_utilization_per_node": (40, {"node": "n1"}),
    "runai_mig_mode_gpu_count": (1, {"node": "n1"}),
    "runai_last_gpu_utilization_time_per_gpu": (1_800_000_000, {"gpu": "0"}),
    "aliquot_agent_nvml_errors_total": (3, {"function": "nvmlDeviceGetPowerUsage", "error": "Unknown Error"}),
}


@pytest.mark.parametrize(("name", "wanted"), VALUES.items(), ids=VALUES)
def test_values_and_units(name: str, wanted: tuple[float, dict[str, str]]) -> None:
    number, labels = wanted
    assert value(shown(of(usage(FULL, MIG))), name, **labels) == pytest.approx(number)


def test_mig_instances_are_told_apart_as_dcgm_does() -> None:
    families = shown(of(usage(MIG)))
    assert value(families, "DCGM_FI_DEV_FB_USED", GPU_I_PROFILE="1g.10gb", GPU_I_ID="7") == 10


def test_a_card_that_one_pod_holds_has_its_name() -> None:
    families = shown(of(usage(FULL, whole=UUID)))
    labels = {"pod": "a", "namespace": "team", "container": "main"}
    assert value(families, "DCGM_FI_DEV_GPU_UTIL", **labels) == 40
    shared = shown(of(usage(FULL)))["DCGM_FI_DEV_GPU_UTIL"].samples[0]
    assert "pod" not in shared.labels


def test_what_is_not_known_is_absent_and_not_nothing() -> None:
    families = shown(of(usage(BARE)))
    told = {name for name, family in families.items() if any("GPU-2" in s.labels.values() for s in family.samples)}
    assert told == {
        "aliquot_gpu_info",
        "aliquot_gpu_state",
        "aliquot_gpu_allocated_ratio",
        "aliquot_gpu_stray_memory_bytes",
        "aliquot_gpu_stray_processes",
    }
    assert "runai_gpu_utilization_per_node" not in families
    assert value(families, "aliquot_gpu_state", state="lost") == 1


def test_without_a_reading_only_the_agent_speaks() -> None:
    dumb = replace(WELL, nvml_up=False, age_seconds=None, duration_seconds=None, hung_seconds=7.5)
    families = shown(of(None, dumb))
    assert all(name.startswith("aliquot_agent_") for name in families)
    assert value(families, "aliquot_agent_nvml_up") == 0
    assert value(families, "aliquot_agent_reading_hung_seconds") == 7.5
    assert "aliquot_agent_reading_age_seconds" not in families


HOSTILE = st.text(st.characters(codec=None), max_size=300)


def counts(families: dict[str, Family]) -> dict[str, int]:
    return {name: len(family.samples) for name, family in families.items()}


@given(name=HOSTILE, model=HOSTILE, driver=HOSTILE, xid=st.integers(0, 1 << 16))
def test_no_name_breaks_the_text(name: str, model: str, driver: str, xid: int) -> None:
    pod = PodRef(name, name, "uid")
    device = replace(FULL, name=model, pci_bus_id=model, xids=((xid, 1),), not_supported=(name,))
    ours = shown(View(name, name, WELL, driver, usage(device, pod=pod), {pod: 0}, {}))
    plain = shown(View("n", "c", WELL, "d", usage(replace(FULL, xids=((xid, 1),)), pod=A), {A: 0}, {}))
    assert counts(ours) == counts(plain)


def test_one_sample_is_one_line() -> None:
    evil = 'x"} 1\n# TYPE evil counter\nevil 666\r\nevil{a="\ud800\u2028\\'
    registry = CollectorRegistry()
    registry.register(Collector(lambda: of(usage(replace(FULL, name=evil), pod=PodRef(evil, evil, evil)))))
    text = generate_latest(registry).decode()
    assert not re.search(r"^(evil|# TYPE evil)", text, re.MULTILINE)
    assert "\r" not in text
