"""What agent and operator tell, as a real Prometheus reads it: every page is taken, and sums are right.

It is set up as the chart's ServiceMonitors say, with the labels that the Prometheus operator gives to what it scrapes.
"""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from aliquot.contracts.metrics import tenancy
from aliquot.contracts.metrics.dcgm import DCGM
from aliquot.contracts.metrics.runai import RUNAI
from aliquot_lab import Cluster, prometheus
from aliquot_lab.processes import eventually
from demo import platform
from demo.fake_gpus import library, state
from demo.fake_gpus.model import GpuProcess
from demo.fake_gpus.products import node
from tests.agent.agent_process import AgentProcess, running
from tests.support.arena import PATIENCE_SECONDS, Arena

pytestmark = pytest.mark.cluster

RULES: Final = platform.CHART / "files" / "recording-rules.yaml"
DEVICES: Final = "aliquot.dev/gpu-ids"
MIB: Final = 1 << 20
USED: Final = {"half": (4_001, 10_000, 40), "more": (4_002, 20_000, 20)}
"""Process, MiB and percent of the time, by workload."""
COMPATIBLE: Final = {metric.name for metric in (*DCGM, *RUNAI)}
"""Their names and labels are others', and not as Prometheus would have them."""


def scrape(lab: Cluster, component: str, address: str, **labels: str) -> dict[str, Any]:
    """How the Prometheus operator has a component scraped, by the chart's ServiceMonitor of it.

    Args:
        lab: for its helm.
        component: `operator` or `agent`.
        address: where it serves.
        **labels: those from the API server that the ServiceMonitor looks at.
    """
    values = ("--set", "serviceMonitor.enabled=true,agent.enabled=true,crds.enabled=false")
    text = lab.helm("template", platform.RELEASE, str(platform.CHART), "-n", platform.NAMESPACE, *values)
    [endpoint] = [
        endpoint
        for manifest in yaml.safe_load_all(text)
        if manifest and (manifest["kind"], manifest["metadata"]["name"]) == ("ServiceMonitor", f"aliquot-{component}")
        for endpoint in manifest["spec"]["endpoints"]
    ]
    given = {
        "namespace": "runai",
        "pod": "its-pod",
        "container": component,
        "service": "its-service",
        "endpoint": "http",
    }
    return {
        "job_name": component,
        "metrics_path": endpoint["path"],
        "honor_labels": endpoint["honorLabels"],
        "static_configs": [{"targets": [address.removeprefix("http://")], "labels": {**given, **labels}}],
        "relabel_configs": [
            {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key): value for key, value in each.items()}
            for each in endpoint.get("relabelings", ())
        ],
    }


def test_sums_for_projects_and_node_pools_are_right(
    lab: Cluster, operator: platform.OperatorProcess, arena: Arena, tmp_path: Path
) -> None:
    [name] = arena.nodes(1, gpus=2)
    arena.until_node(name, "Ready")
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "half", gpu="0.5")
    arena.submit(namespace, "more", gpu="0.75")
    arena.until_running_pods(namespace, 2)
    cards = node(name, 2)
    for number, (workload, (pid, mib, percent)) in enumerate(USED.items()):
        [pod] = arena.running_pods(namespace, workload)
        process = tmp_path / "proc" / str(pid)
        process.mkdir(parents=True)
        (process / "cgroup").write_text(f"0::/kubepods/pod{pod['metadata']['uid']}/{'a' * 64}\n")
        processes = [GpuProcess(pid=pid, memory_used_mib=mib, sm_percent=percent)]
        uuid = pod["metadata"]["annotations"][DEVICES]
        cards = cards.with_gpu(number, uuid=uuid, gpu_percent=percent, memory_used_mib=mib, processes=processes)
    state.write(tmp_path / "state", cards)
    settings = {
        "ALIQUOT_IDENTITY__NODE": name,
        "ALIQUOT_SOURCES__PODS": "api",
        "ALIQUOT_SOURCES__PROC": str(tmp_path / "proc"),
        "KUBECONFIG": str(lab.kubeconfig),
    }
    project, pool = f'{{project="{arena.name}-a"}}', f'{{nodepool="{arena.name}"}}'
    total = sum(gpu.memory_total_mib or 0 for gpu in cards.gpus)
    expected: dict[str, float] = {
        f"project:aliquot_project_deserved_gpus:sum{project}": 1,
        f"project:aliquot_project_allocated_gpus:sum{project}": 1.25,
        f"project:aliquot_project_allocated_gpus:sum_overquota{project}": 0.25,
        f"project:aliquot_pod_gpu_allocated_ratio:sum_idle5m{project}": 0,
        f"project:aliquot_pod_gpu_utilization_ratio:avg{project}": 0.3,
        f"project:aliquot_pod_gpu_memory_used_bytes:sum{project}": 30_000 * MIB,
        f"nodepool:aliquot_node_gpus:sum{pool}": 2,
        f"nodepool:aliquot_gpu_allocated_ratio:sum{pool}": 1.25,
        f"nodepool:aliquot_project_allocated_gpus:sum_overquota{pool}": 0.25,
        f"nodepool:aliquot_gpu_utilization_ratio:avg{pool}": 0.3,
        f"nodepool:aliquot_gpu_memory_used_bytes:sum{pool}": 30_000 * MIB,
        f"nodepool:aliquot_gpu_memory_total_bytes:sum{pool}": total * MIB,
        "cluster:aliquot_gpu_allocated_ratio:sum": 1.25,
    }
    with running(tmp_path / "state", library.ensure(), **settings) as agent:
        scrapes = [
            scrape(lab, "operator", f"127.0.0.1:{operator.port}"),
            scrape(lab, "agent", agent.address, __meta_kubernetes_pod_node_name=name),
        ]
        with prometheus.serving(scrapes, [RULES]) as server:

            def found() -> dict[str, float | None]:
                return {each: server.value(each) for each in expected}

            eventually(lambda: found() == pytest.approx(expected, nan_ok=False), seconds=PATIENCE_SECONDS)
            assert found() == pytest.approx(expected)
            assert {(rule["name"], rule["health"], rule.get("lastError")) for rule in server.rules()} == {
                (rule["name"], "ok", None) for rule in server.rules()
            }
            series = server.query(f'{{__name__=~"aliquot_(pod_)?gpu_memory_used_bytes", node="{name}"}}')
            seen = {(each.labels.get("namespace"), each.labels["instance"]) for each in series}
            assert seen == {(namespace, name), (None, name)}, "whose reading it is, and not where it was scraped"


def tells(agent: AgentProcess, expression: str, expected: float) -> None:
    """Have the agent scraped until an expression has that value."""
    target = {"job_name": "agent", "static_configs": [{"targets": [agent.address.removeprefix("http://")]}]}
    with prometheus.serving([target]) as server:
        eventually(lambda: server.value(expression) == expected, seconds=PATIENCE_SECONDS)
        assert server.value(expression) == expected, server.targets()


def test_a_hostile_name_stays_what_it_is(tmp_path: Path) -> None:
    """Whatever a card or a cluster calls itself, it neither ends a line nor begins another reading."""
    name = 'Evil "card"\\ {a="b"} 7 # HELP aliquot_gpu_info'
    path = tmp_path / "state"
    state.write(path, node("n1", 1).with_gpu(0, name=name))
    cluster = 'c"1\\\n\u2028aliquot_gpu_temperature_celsius{gpu="x"} 7'
    with running(path, library.ensure(), ALIQUOT_IDENTITY__CLUSTER=cluster) as agent:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        tells(
            agent,
            f'count(aliquot_gpu_info{{model="{quoted}"}}) unless on() aliquot_gpu_temperature_celsius{{gpu="x"}}',
            1,
        )


def complaints(page: str) -> set[str]:
    """The metrics of a page that `promtool check metrics` has something against."""
    done = prometheus.promtool("check", "metrics", text=page)
    lines = (done.stdout + done.stderr).splitlines()
    assert not [line for line in lines if line.startswith("error")], lines
    return {line.split()[0] for line in lines if line}


def test_prometheus_has_nothing_against_our_names(operator: platform.OperatorProcess, tmp_path: Path) -> None:
    path = tmp_path / "state"
    state.write(path, node("n1", 1, mig=("1g.10gb",)))
    with running(path, library.ensure()) as agent:
        assert complaints(agent.get("metrics")[1]) <= COMPATIBLE
    assert complaints(operator.probe("metrics")[1]) == set()


def test_the_operator_tells_every_metric_that_the_catalogue_says(
    operator: platform.OperatorProcess, arena: Arena
) -> None:
    """Also of a project that holds nothing, and of a namespace that has only just been made."""
    arena.nodes(1)
    arena.project("a", deserved=1)
    lacking = set[str]()

    def told() -> bool:
        page = operator.probe("metrics")[1]
        lacking.clear()
        for metric in tenancy.TENANCY:
            shown = f"# HELP {metric.name} {metric.help}" in page
            if not (shown and re.search(rf"^{metric.name}\{{.*{arena.name}", page, re.MULTILINE)):
                lacking.add(metric.name)
        return not lacking

    assert eventually(told, seconds=PATIENCE_SECONDS), lacking
