"""`aliquot agent` as a process, on the fake library: what it serves, and how it lives with a driver in trouble."""

import json
import os
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aliquot.cli.main import app
from demo.fake_gpus import library, state
from demo.fake_gpus.model import Failure, GpuProcess, Hang
from demo.fake_gpus.products import node
from tests.agent.agent_process import PATIENCE_SECONDS, running
from tests.kube.eventually import eventually


@pytest.fixture(scope="session")
def fake_nvml() -> Path:
    return library.ensure()


async def test_it_serves_what_the_cards_say_and_ends_when_told(tmp_path: Path, fake_nvml: Path) -> None:
    path = tmp_path / "state"
    cards = node("n1", 2)
    state.write(path, cards.with_gpu(1, gpu_percent=30, processes=[GpuProcess(pid=os.getpid(), memory_used_mib=64)]))
    with running(path, fake_nvml) as agent:
        await eventually(lambda: agent.get("readyz") == (200, "ok"))
        assert agent.get("healthz") == (200, "ok")
        assert agent.metric("aliquot_gpu_utilization_ratio", gpu="1", node="n1") == 0.3
        assert agent.metric("aliquot_gpu_stray_memory_bytes", gpu="1") == 64 << 20
        agent.has(cards.with_gpu(1, gpu_percent=90))
        assert agent.metric("DCGM_FI_DEV_GPU_UTIL", gpu="1") == 90, "each scrape takes a reading"
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(PATIENCE_SECONDS) == 0


async def test_without_a_library_it_says_so_and_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "state", None) as agent:
        await eventually(lambda: "NVML Shared Library Not Found" in agent.get("readyz")[1])
        assert agent.get("healthz") == (200, "ok")
        assert agent.metric("aliquot_agent_nvml_up") == 0
        assert agent.metric("aliquot_gpu_info") is None


async def test_while_the_api_server_is_away_metrics_go_on(tmp_path: Path, fake_nvml: Path) -> None:
    state.write(tmp_path / "state", node("n1", 1))
    kubeconfig = tmp_path / "kubeconfig"
    closed = {"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], "current-context": "x"}
    kubeconfig.write_text(json.dumps({**closed, "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]}))
    with running(tmp_path / "state", fake_nvml, ALIQUOT_SOURCES__PODS="api", KUBECONFIG=str(kubeconfig)) as agent:
        await eventually(lambda: agent.metric("aliquot_agent_nvml_up") == 1)
        assert agent.metric("aliquot_gpu_temperature_celsius", gpu="0") is not None
        assert agent.metric("aliquot_agent_pods_known") == 0
        assert agent.get("readyz") == (503, "the node's pods are not known yet")


async def test_a_driver_that_never_answers_stops_no_scrape_and_no_end(tmp_path: Path, fake_nvml: Path) -> None:
    path = tmp_path / "state"
    cards = node("n1", 1)
    state.write(path, cards)
    limits = {"ALIQUOT_READINGS__DEADLINE_SECONDS": "0.2", "ALIQUOT_READINGS__RESTART_SECONDS": "0.1"}
    with running(path, fake_nvml, **limits) as agent:
        await eventually(lambda: agent.metric("aliquot_agent_nvml_up") == 1)
        agent.has(cards.with_fields(hangs=(Hang(function="nvmlDeviceGetPowerUsage", seconds=1e6),)))
        await eventually(lambda: (agent.metric("aliquot_agent_reading_hung_seconds") or 0) > 0)
        assert agent.metric("aliquot_agent_nvml_up") == 0
        assert agent.metric("aliquot_gpu_power_watts") == 70, "the last good reading is shown"
        await eventually(lambda: agent.get("healthz")[0] == 503)
        agent.has(cards.with_gpu(0, power_milliwatts=123_000))
        await eventually(lambda: agent.metric("aliquot_gpu_power_watts") == 123)
        await eventually(lambda: agent.get("healthz") == (200, "ok"))
        agent.has(cards.with_fields(hangs=(Hang(function="*", seconds=1e6),)))
        await eventually(lambda: (agent.metric("aliquot_agent_reading_hung_seconds") or 0) > 0)
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(PATIENCE_SECONDS) == 0


async def test_a_library_that_no_longer_fits_the_driver_needs_a_new_process(tmp_path: Path, fake_nvml: Path) -> None:
    path = tmp_path / "state"
    cards = node("n1", 1)
    state.write(path, cards)
    with running(path, fake_nvml) as agent:
        await eventually(lambda: agent.metric("aliquot_agent_nvml_up") == 1)
        agent.has(cards.with_fields(failures=(Failure(function="*", code=18),)))
        assert agent.metric("aliquot_agent_nvml_up") == 0
        status, why = agent.get("healthz")
        assert (status, "version mismatch" in why) == (503, True)


@pytest.mark.parametrize(
    ("variable", "wrong", "says"),
    [
        ("ALIQUOT_READINGS__INTERVAL_SECONDS", "0", "greater than or equal to 1"),
        ("ALIQUOT_READINGS__STALE_SECONDS", "3", "must be at least interval_seconds (10) and deadline_seconds (5)"),
        ("ALIQUOT_SERVER__PORT", "http", "ALIQUOT_SERVER__PORT"),
        ("ALIQUOT_SOURCES__PODS", "etcd", "'api' or 'none'"),
        ("ALIQUOT_READINGS__INTERVALL", "3", "ALIQUOT_READINGS__INTERVALL"),
    ],
)
def test_a_wrong_setting_stops_it_and_is_named(variable: str, wrong: str, says: str) -> None:
    done = CliRunner().invoke(app, ["agent"], env={variable: wrong})
    assert done.exit_code == 2
    assert says in done.stderr
