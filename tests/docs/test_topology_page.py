"""docs/topology.md: its objects are read, its example comes out as it says, and its sentences are those of reasons."""

import json
import re
from typing import Any

import msgspec
import yaml

from aliquot import names
from aliquot.cluster.foreign.topologies import TOPOLOGY_KINDS, TopologyObject
from aliquot.contracts.kinds.workloads import DistributedWorkload
from aliquot.core.intake.group_table import read_kinds
from aliquot.core.simulation import load, simulate
from aliquot.core.submission import Defaults, effective_distributed
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "topology.md").read_text()
TEXTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
BY_KIND: dict[str, dict[str, Any]] = {found.get("kind", ""): found for found in map(yaml.safe_load, TEXTS)}
LEVELS = ("example.com/zone", "example.com/rack", names.HOST_NAME_LABEL)


def test_an_object_and_a_config_map_name_the_same_topology() -> None:
    shown = BY_KIND["Topology"]
    read = msgspec.json.decode(json.dumps(shown), type=TopologyObject)
    assert (read.metadata.name, read.levels) == ("datacenter", LEVELS)
    assert (shown["apiVersion"].partition("/")[0], "Topology") in TOPOLOGY_KINDS
    [text] = BY_KIND["ConfigMap"]["data"].values()
    added, wrong = read_kinds(text)
    assert wrong == []
    assert [(each.name, tuple(each.levels)) for each in added.topologies] == [("datacenter", LEVELS)]


def test_the_workload_carries_its_annotations_to_its_pods() -> None:
    asked = effective_distributed(DistributedWorkload.model_validate(BY_KIND["DistributedWorkload"]), Defaults(0, 0))
    wanted = BY_KIND["DistributedWorkload"]["metadata"]["annotations"]
    assert set(wanted) == set(names.CLOSENESS_ANNOTATIONS)
    assert [asked.pod(rank).identity.annotations for rank in (0, 1)] == [wanted, wanted]


def test_the_example_comes_out_as_the_page_says() -> None:
    [round_] = simulate(load(TEXTS[-1].encode())).rounds
    assert [bind.task for bind in round_.bind] == ["llm-0", "llm-1"]
    assert {bind.node for bind in round_.bind} <= {"n3", "n4"}
    [waiting] = round_.waiting
    assert (waiting.job, waiting.reason) == ("wide", "NotEnoughResources")
    assert "within one domain of rack; the roomiest of 2 in pool default" in waiting.message
