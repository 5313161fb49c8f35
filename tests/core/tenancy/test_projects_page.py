"""The examples of docs/projects.md: they are read whole, and mean what the page says."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from aliquot.contracts.kinds.tenancy import Department, NodePool, Project, ProjectStatus
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import Tenant, pod_facts, pod_problems
from aliquot.core.quantities import UNLIMITED, Vector
from aliquot.core.tenancy import (
    Amount,
    NamespacePlan,
    Usage,
    department_quotas,
    project_quotas,
    project_status,
)

PAGE = Path(__file__).parents[3] / "docs" / "projects.md"
MODELS = {"Project": Project, "Department": Department, "NodePool": NodePool}


def examples() -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]


OBJECTS = {f"{each['kind']} {each['metadata']['name']}": each for each in examples() if each.get("kind") in MODELS}


def project(name: str) -> Project:
    return Project.model_validate(OBJECTS[f"Project {name}"])


@pytest.mark.parametrize("example", OBJECTS.values(), ids=OBJECTS)
def test_every_member_of_an_example_is_known(example: dict[str, Any]) -> None:
    read = MODELS[example["kind"]].model_validate(example)
    assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == example


def test_a_pod_of_the_page_is_of_the_gang_that_it_names() -> None:
    [shown] = [each for each in examples() if each.get("kind") == "Pod"]
    pod = msgspec.json.decode(msgspec.json.encode(shown), type=Pod)
    job = pod_facts(pod, Tenant("vision", ())).job
    assert (job.id, job.min_member, pod_problems(pod)) == ("runai-vision/ring", 3, ())


def test_how_long_work_is_left_alone_is_what_the_page_says() -> None:
    quota = project_quotas(project("speech"))["default"]
    assert (quota.preempt_min_runtime, quota.reclaim_min_runtime) == (300, 900)


def test_amounts_mean_what_the_page_says() -> None:
    quota = project_quotas(project("vision"))["default"]
    assert quota.gpu == Amount(6400, 9600, 2.0)
    assert quota.cpu.deserved == quota.memory.deserved == UNLIMITED
    research = Department.model_validate(OBJECTS["Department research"])
    assert department_quotas(research)["default"].gpu == Amount(11_200, over_quota_weight=112.0)
    assert {pool: quota.gpu for pool, quota in project_quotas(project("language")).items()} == {
        "default": Amount(4800, over_quota_weight=48.0),
        "h100": Amount(800, 1600, 8.0),
    }


def test_the_status_on_the_page_is_the_status_that_is_made() -> None:
    [shown] = [each["status"] for each in examples() if "kind" not in each]
    held = Vector(7200, 144_000, 1152 * 2**30)
    usage = Usage(allocated=held, requested=Vector(9600, 192_000, 1536 * 2**30))
    made = project_status(
        project("vision"),
        NamespacePlan("runai-vision"),
        {"default": usage},
        Department.model_validate(OBJECTS["Department research"]),
        ProjectStatus(),
        now=1714564800.0,
    )
    assert made == ProjectStatus.model_validate(shown)


def test_every_phase_and_condition_is_on_the_page() -> None:
    page = PAGE.read_text()
    source = "".join(path.read_text() for path in (PAGE.parents[1] / "operator/aliquot/core/tenancy").glob("*.py"))
    words = set(re.findall(r'(?:condition|Problem)\(\s*"(\w+)"', source))
    assert words >= {"NamespaceTaken", "NoDepartment", "QuotaOvercommitted"}
    assert {word for word in words if f"`{word}`" not in page} == set()
