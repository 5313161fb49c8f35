"""The RunaiConfig of a cluster: what of it is followed, and that the rest is named."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds import RunaiConfig
from aliquot.core.configuration import NO_CONFIG, ClusterConfig, config_conditions, is_told, read_config
from aliquot.core.scheduling.facts import NodeTerm, Requirement

MIB = 2**20


def spec(path: str, value: object) -> dict[str, Any]:
    """The spec that says this at the path, and nothing else."""
    for key in reversed(path.split("/")):
        value = {key: value}
    return cast("dict[str, Any]", value)


FOLLOWED: list[tuple[str, object, ClusterConfig]] = [
    ("project-controller/createNamespaces", False, ClusterConfig(creates_namespaces=False)),
    ("project-controller/createNamespaces", True, NO_CONFIG),
    ("project-controller/createRoleBindings", False, ClusterConfig(creates_role_bindings=False)),
    ("project-controller/CreateRoleBindings", False, ClusterConfig(creates_role_bindings=False)),
    ("limitRange/cpuDefaultRequestGpuFactor", "100m", ClusterConfig(cpu_milli_per_gpu=100)),
    ("limitRange/cpuDefaultRequestGpuFactor", 6, ClusterConfig(cpu_milli_per_gpu=6000)),
    ("limitRange/cpuDefaultRequestGpuFactor", 0.5, ClusterConfig(cpu_milli_per_gpu=500)),
    ("limitRange/cpuDefaultRequestGpuFactor", 0, ClusterConfig(cpu_milli_per_gpu=0)),
    ("limitRange/memoryDefaultRequestGpuFactor", "100Mi", ClusterConfig(memory_bytes_per_gpu=100 * MIB)),
    ("limitRange/cpuDefaultLimitGpuFactor", "2", ClusterConfig(cpu_limit_milli_per_gpu=2000)),
    ("limitRange/memoryDefaultLimitGpuFactor", "1Gi", ClusterConfig(memory_limit_bytes_per_gpu=1024 * MIB)),
    ("limitRange/cpuDefaultRequestCpuLimitFactorNoGpu", 0.2, ClusterConfig(cpu_of_limit=Decimal("0.2"))),
    ("limitRange/memoryDefaultRequestMemoryLimitFactorNoGpu", "1", ClusterConfig(memory_of_limit=Decimal(1))),
    (
        "runai-scheduler/placementStrategy",
        "Bin Packing",
        ClusterConfig(gpu_placement="binpack", cpu_placement="binpack"),
    ),
    ("runai-scheduler/gpuPlacementStrategy", "spread", ClusterConfig(gpu_placement="spread")),
    ("runai-scheduler/cpuPlacementStrategy", "binpack", ClusterConfig(cpu_placement="binpack")),
    ("runai-scheduler/args/defaultStalenessGracePeriod", "5m", ClusterConfig(stale_gang_grace_seconds=300)),
    ("runai-scheduler/args/defaultStalenessGracePeriod", "0s", ClusterConfig(stale_gang_grace_seconds=0)),
    ("runai-scheduler/args/defaultStalenessGracePeriod", -1, ClusterConfig(stale_gang_grace_seconds=-1)),
    ("runai-scheduler/args/defaultStalenessGracePeriod", "-1s", ClusterConfig(stale_gang_grace_seconds=-1)),
    ("global/nodeAffinity/restrictScheduling", True, ClusterConfig(restricts_scheduling=True)),
    ("global/nodeAffinity/restrictScheduling", False, ClusterConfig(restricts_scheduling=False)),
    (
        "global/managedNodes/inclusionCriteria/nodeSelectorTerms",
        [{"matchExpressions": [{"key": "team", "operator": "In", "values": ["ai"]}]}],
        ClusterConfig(managed_nodes=(NodeTerm((Requirement("team", "In", ("ai",)),)),)),
    ),
]


@pytest.mark.parametrize(("path", "value", "config"), FOLLOWED, ids=lambda value: str(value)[:40])
def test_what_is_documented_and_done_here_is_followed(path: str, value: object, config: ClusterConfig) -> None:
    reading = read_config(spec(path, value))
    assert (reading.config, reading.ignored) == (config, ())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("project-controller/createNamespaces", "false", "'false' is not allowed: true or false"),
        ("limitRange/cpuDefaultRequestGpuFactor", "much", "a number of CPU cores"),
        ("limitRange/cpuDefaultRequestGpuFactor", True, "a number of CPU cores"),
        ("limitRange/cpuDefaultRequestGpuFactor", -1, "a number of CPU cores"),
        ("limitRange/memoryDefaultRequestGpuFactor", ["1Gi"], "an amount of memory"),
        ("limitRange/memoryDefaultRequestGpuFactor", "1E", "an amount of memory"),
        ("limitRange/cpuDefaultLimitGpuFactor", "0", "leave it out for no limit"),
        ("limitRange/cpuDefaultRequestCpuLimitFactorNoGpu", 1.5, "a number from 0 to 1"),
        ("runai-scheduler/placementStrategy", "random", "binpack or spread"),
        ("runai-scheduler/args/defaultStalenessGracePeriod", "soon", "a length of time"),
        ("runai-scheduler/args", "fast", "an object"),
        ("project-controller", 3, "an object"),
        ("project-controller/clusterWideSecret", True, "false, which holds here"),
        ("global/core/timeSlicing/mode", "strict", "timesharing, which holds here"),
        ("mps-server/enabled", 1, "false, which holds here"),
        ("prometheus/spec/retention", "2h", "unknown, and ignored"),
        ("project-controller/createnamespaces", False, "unknown, and ignored"),
    ],
)
def test_what_is_not_followed_is_named_and_counts_as_left_out(path: str, value: object, said: str) -> None:
    reading = read_config({**spec(path, value), "limitRange": {**spec(path, value).get("limitRange", {})}})
    [ignored] = reading.ignored
    assert reading.config == NO_CONFIG
    assert ignored.startswith(f"spec.{path.partition('/')[0]}")
    assert said in ignored


def test_a_mistake_leaves_the_rest_in_force() -> None:
    reading = read_config(
        {
            "mps-server": {"enabled": True},
            "project-controller": {"createNamespaces": False, "clusterWideSecret": False},
            "limitRange": {"cpuDefaultRequestGpuFactor": "much", "memoryDefaultRequestGpuFactor": "1Gi"},
        }
    )
    assert reading.config == ClusterConfig(creates_namespaces=False, memory_bytes_per_gpu=1024 * MIB)
    fields = [said.partition(":")[0] for said in reading.ignored]
    assert fields == ["spec.limitRange.cpuDefaultRequestGpuFactor", "spec.mps-server.enabled"]


def test_of_two_members_that_say_the_same_the_documented_one_counts_and_the_other_is_named() -> None:
    reading = read_config(
        {"runai-scheduler": {"placementStrategy": "spread", "gpuPlacementStrategy": "binpack"}},
    )
    assert reading.config == ClusterConfig(gpu_placement="spread", cpu_placement="spread")
    [said] = reading.ignored
    assert said.startswith("spec.runai-scheduler.gpuPlacementStrategy: 'binpack' is not allowed: left out, because ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(path=st.sampled_from([path for path, *_ in FOLLOWED]), value=JSON, beside=st.dictionaries(st.text(), JSON))
def test_whatever_is_written_is_read(path: str, value: object, beside: dict[str, Any]) -> None:
    reading = read_config({**beside, **spec(path, value)})
    assert all(said.startswith("spec.") for said in reading.ignored)
    assert not any(character in "".join(reading.ignored) for character in "\n\r\x1b\u202e")


def config(name: str = "runai", status: dict[str, Any] | None = None, **members: object) -> RunaiConfig:
    raw = {"metadata": {"name": name, "namespace": "runai"}, "spec": members, "status": status or {}}
    return RunaiConfig.model_validate(raw)


def told(of: RunaiConfig, now: float = 100) -> dict[str, tuple[str, str | None]]:
    made = config_conditions(of, read_config(of.spec), now)
    return {each.type: (each.status, each.message) for each in made}


def test_the_status_says_whether_it_is_in_force_and_what_of_it_is_not() -> None:
    assert told(config()) == {
        "Available": ("True", "the operator goes by it"),
        "Understood": ("True", "everything in it is followed"),
    }
    assert told(config(prometheus={}))["Understood"] == ("False", "spec.prometheus: unknown, and ignored")
    assert told(config("other")) == {"Available": ("False", "only the RunaiConfig called runai is followed")}


def test_a_status_that_says_it_already_is_told_at_any_time_and_keeps_its_times() -> None:
    fresh = config()
    first = config_conditions(fresh, read_config(fresh.spec), 100)
    status = {"conditions": [{"type": 3}, *(each.model_dump(mode="json", exclude_none=True) for each in first)]}
    again = config(status=status)
    later = config_conditions(again, read_config(again.spec), 999)
    assert later == first
    assert is_told(later, again.status)
    assert not is_told(later, fresh.status)
    assert not is_told(first, {"conditions": "all is well"})


def test_the_page_names_all_that_is_followed_and_its_example_is_followed_whole() -> None:
    page = (Path(__file__).parents[3] / "docs" / "runaiconfig.md").read_text()
    rows = {
        name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`([\w.-]+)`", row)
    }
    followed = {path.replace("/", ".") for path, *_ in FOLLOWED}
    assert {name if "." in name else f"project-controller.{name}" for name in rows} - {"project-controller.spec"} == (
        followed
    )
    [block] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    example = RunaiConfig.model_validate(yaml.safe_load(block))
    assert read_config(example.spec).ignored == ()
    [shown] = re.findall(r"^(spec\..*)$", page, re.MULTILINE)
    assert shown in read_config({"mps-server": {"enabled": True}}).ignored
