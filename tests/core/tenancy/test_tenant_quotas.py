"""What quotas mean: units, what is left out, and the superseded members."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds.tenancy import Department, DepartmentSpec, Project, ProjectSpec
from aliquot.core.quantities import UNLIMITED
from aliquot.core.tenancy import NO_QUOTA, Amount, PoolQuota, department_of, department_quotas, project_quotas

FREE = Amount(deserved=UNLIMITED)


def project(**spec: object) -> Project:
    return Project(spec=ProjectSpec.model_validate(spec))


def department(**spec: object) -> Department:
    return Department(spec=DepartmentSpec.model_validate(spec))


def in_default(resources: object) -> dict[str, Any]:
    return {"queues": [{"name": "q", "nodepool": "default", "resources": resources}]}


RESOURCES: dict[str, tuple[object, PoolQuota]] = {
    "nothing said": ({}, NO_QUOTA),
    "GPUs are devices": ({"gpu": {"deserved": 4}}, PoolQuota(Amount(400, over_quota_weight=4.0))),
    "parts of devices are fine": ({"gpu": {"deserved": 2.5}}, PoolQuota(Amount(250, over_quota_weight=2.5))),
    "and are not spoilt by floats": ({"gpu": {"deserved": 0.29}}, PoolQuota(Amount(29))),
    "CPU is in thousandths of a core": (
        {"cpu": {"deserved": 4000}},
        PoolQuota(cpu=Amount(4000, over_quota_weight=4.0)),
    ),
    "memory is in MB": ({"memory": {"deserved": 64}}, PoolQuota(memory=Amount(64_000_000))),
    "-1 deserved is unlimited": ({"gpu": {"deserved": -1}}, PoolQuota(FREE)),
    "a limit": ({"gpu": {"deserved": 4, "limit": 6}}, PoolQuota(Amount(400, 600, 4.0))),
    "-1 is no limit": ({"gpu": {"deserved": 4, "limit": -1}}, PoolQuota(Amount(400, over_quota_weight=4.0))),
    "a limit of 0 forbids": ({"gpu": {"limit": 0}}, PoolQuota(Amount(0, 0))),
    "a weight": ({"gpu": {"overQuotaWeight": 3}}, PoolQuota(Amount(over_quota_weight=3.0))),
    "a weight of 0 borrows nothing": ({"gpu": {"overQuotaWeight": 0}}, PoolQuota(Amount(over_quota_weight=0.0))),
    "a CPU block without deserved deserves none": ({"cpu": {"limit": 8000}}, PoolQuota(cpu=Amount(0, 8000))),
    "an absurd amount is unlimited": ({"memory": {"deserved": 1e15}}, PoolQuota(memory=FREE)),
    "so is an endless one, downwards none": (
        {"gpu": {"deserved": float("inf"), "limit": float("-inf")}},
        PoolQuota(Amount(UNLIMITED, 0)),
    ),
    "an impossible amount is none": ({"gpu": {"deserved": -3, "limit": float("nan")}}, PoolQuota(Amount(0, 0))),
}


@pytest.mark.parametrize(("resources", "wanted"), RESOURCES.values(), ids=RESOURCES)
def test_quotas_of_projects_and_departments_read_the_same(resources: object, wanted: PoolQuota) -> None:
    assert project_quotas(project(**in_default(resources))) == {"default": wanted}
    assert department_quotas(department(**in_default(resources))) == {"default": wanted}


def test_every_pool_has_its_own_entry() -> None:
    quotas = project_quotas(
        project(
            queues=[
                {"name": "a", "nodepool": "a100", "resources": {"gpu": {"deserved": 2}}},
                {"name": "b", "nodepool": "h100", "resources": {"gpu": {"deserved": 1}}},
            ]
        )
    )
    assert {pool: quota.gpu.deserved for pool, quota in quotas.items()} == {"a100": 200, "h100": 100}


OLD_DEPARTMENTS: dict[str, tuple[dict[str, Any], PoolQuota]] = {
    "deservedGpus": ({"deservedGpus": 8}, PoolQuota(Amount(800, over_quota_weight=8.0))),
    "with a limit": ({"deservedGpus": 8, "maxAllowedGpus": 16}, PoolQuota(Amount(800, 1600, 8.0))),
    "resources": (
        {"resources": {"gpu": {"deserved": 8}, "cpu": {"deserved": 1}}},
        PoolQuota(Amount(800, over_quota_weight=8.0), Amount(1)),
    ),
    "both": (
        {"resources": {"gpu": {"deserved": 8, "overQuotaWeight": 2}}, "deservedGpus": 4},
        PoolQuota(Amount(400, over_quota_weight=2.0)),
    ),
}


@pytest.mark.parametrize(("spec", "wanted"), OLD_DEPARTMENTS.values(), ids=OLD_DEPARTMENTS)
def test_superseded_members_count_for_the_pool_default(spec: dict[str, Any], wanted: PoolQuota) -> None:
    assert department_quotas(department(**spec)) == {"default": wanted}
    entry = {"queues": [{"name": "q", "nodepool": "a100"}]}
    assert department_quotas(department(**spec, **entry)) == {"a100": NO_QUOTA}, "queues win"


def test_deserved_gpus_of_a_project() -> None:
    assert project_quotas(project(deservedGpus=3)) == {"default": PoolQuota(Amount(300, over_quota_weight=3.0))}
    assert project_quotas(project(deservedGpus=-1)) == {"default": PoolQuota(FREE)}
    assert project_quotas(project(deservedGpus=3, **in_default({"gpu": {"deserved": 1}}))) == {
        "default": PoolQuota(Amount(100))
    }


DEPARTMENTS: dict[str, tuple[str | None, list[str], str | None]] = {
    "the one it names": ("research", ["default", "research"], "research"),
    "else default": (None, ["default", "research"], "default"),
    "where that exists": (None, ["research"], None),
    "one that does not exist is none": ("ghosts", ["default"], None),
}


@pytest.mark.parametrize(("named", "known", "wanted"), DEPARTMENTS.values(), ids=DEPARTMENTS)
def test_department_of(named: str | None, known: list[str], wanted: str | None) -> None:
    assert department_of(project(department=named), known) == wanted


NUMBERS = st.floats() | st.integers(-5, 10**16)


@given(deserved=NUMBERS, limit=NUMBERS, weight=NUMBERS)
def test_whatever_the_numbers_are_amounts_are_whole_bounded_and_not_negative(
    deserved: float, limit: float, weight: float
) -> None:
    block = {"deserved": deserved, "limit": limit, "overQuotaWeight": weight}
    [quota] = project_quotas(project(**in_default({"gpu": block, "cpu": block, "memory": block}))).values()
    for _, amount in quota.by_resource():
        assert 0 <= amount.deserved <= UNLIMITED
        assert 0 <= amount.limit <= UNLIMITED
        assert 0 <= amount.over_quota_weight < float("inf")


@given(hundredths=st.integers(0, 10**9))
def test_hundredths_of_a_gpu_survive_being_written_as_a_float(hundredths: int) -> None:
    [quota] = project_quotas(project(deservedGpus=hundredths / 100)).values()
    assert quota.gpu.deserved == hundredths
