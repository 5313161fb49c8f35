"""Workload over template over policy (cluster-api.md 1.6; S15 to S17, S23)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.workloads import DistributedSpec, InteractiveSpec
from aliquot.core.submission.layers import Layer, origins, over, settled

PARAMETERS = of_kind("InteractiveWorkload")


def spec(**parameters: Any) -> InteractiveSpec:
    return InteractiveSpec.model_validate(parameters)


def written(found: InteractiveSpec) -> dict[str, Any]:
    """What a spec says, without what it leaves out."""
    return found.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)


def ports(**items: tuple[int, int] | None) -> dict[str, Any]:
    """Ports by label, each (container, external); None: deleted."""
    return {
        "items": {
            label.replace("_", "-"): {"deleted": True} if item is None else {"value": _port(*item)}
            for label, item in items.items()
        }
    }


def _port(container: int, external: int) -> dict[str, int]:
    return {"container": container, "external": external}


def test_a_value_is_the_workloads_else_the_templates_else_the_policys() -> None:
    workload = spec(gpu={"value": "1"})
    template = spec(gpu={"value": "2"}, image={"value": "jupyter/scipy-notebook"})
    policy = spec(gpu={"value": "3"}, image={"value": "x"}, cpu={"value": "4", "rules": {"max": "8"}})
    merged = over(PARAMETERS, workload, over(PARAMETERS, template, policy))
    assert written(settled(PARAMETERS, merged)) == {
        "gpu": {"value": "1"},
        "image": {"value": "jupyter/scipy-notebook"},
        "cpu": {"value": "4"},
    }
    layers = [(Layer.WORKLOAD, workload), (Layer.TEMPLATE, template), (Layer.POLICY, policy)]
    assert origins(PARAMETERS, layers) == {"cpu": "policy", "gpu": "workload", "image": "template"}


def test_s16_three_layers_of_items() -> None:
    policy = spec(ports=ports(admin_port_a=(30100, 8080), admin_port_b=(30101, 8081)))
    template = spec(ports=ports(admin_port_a=(30100, 8100), team_a_port=(30111, 8111)))
    workload = spec(ports=ports(admin_port_b=None, my_port=(30222, 8222)))
    merged = settled(PARAMETERS, over(PARAMETERS, workload, over(PARAMETERS, template, policy)))
    assert {label: item.value.external for label, item in merged.ports.items.items() if item.value} == {
        "admin-port-a": 8100,
        "team-a-port": 8111,
        "my-port": 8222,
    }
    layers = [(Layer.WORKLOAD, workload), (Layer.TEMPLATE, template), (Layer.POLICY, policy)]
    assert origins(PARAMETERS, layers) == {
        "ports[admin-port-a]": "template",
        "ports[my-port]": "workload",
        "ports[team-a-port]": "template",
    }


def test_s17_an_item_is_replaced_as_a_whole() -> None:
    template = spec(ports=ports(ui=(80, 8080)))
    workload = spec(ports={"items": {"ui": {"value": {"container": 81}}}})
    merged = settled(PARAMETERS, over(PARAMETERS, workload, template))
    assert merged.ports.items["ui"].value is not None
    assert merged.ports.items["ui"].value.external is None


def test_s23_defaults_fill_what_other_items_leave_out() -> None:
    policy = spec(pvcs={"items": {"DEFAULTS": {"value": {"path": "nil", "existingPvc": True, "readOnly": True}}}})
    workload = spec(
        pvcs={"items": {"data": {"value": {"claimName": "mine", "path": "/data", "readOnly": False}}}},
        environment={"items": {"DEFAULTS": {"value": "x"}, "A": {"value": "1"}}},
    )
    merged = settled(PARAMETERS, over(PARAMETERS, workload, policy))
    claim = merged.pvcs.items["data"].value
    assert claim is not None
    assert (claim.claim_name, claim.path, claim.existing_pvc, claim.read_only) == ("mine", "/data", True, False)
    assert set(merged.pvcs.items) == {"data"}
    assert set(merged.environment.items) == {"A"}


def test_members_of_a_group_are_merged_each() -> None:
    parameters = of_kind("DistributedWorkload")
    upper = DistributedSpec.model_validate({"pyTorchJob": {"values": {"minReplicas": {"value": 2}}}})
    lower = DistributedSpec.model_validate(
        {"pyTorchJob": {"values": {"minReplicas": {"value": 1}, "maxReplicas": {"value": 9}}}}
    )
    merged = over(parameters, upper, lower).py_torch_job.values
    assert merged is not None
    assert (merged.min_replicas.value, merged.max_replicas.value) == (2, 9)
    assert origins(parameters, [(Layer.WORKLOAD, upper), (Layer.POLICY, lower)]) == {
        "pyTorchJob.maxReplicas": "policy",
        "pyTorchJob.minReplicas": "workload",
    }


_PORTS = st.dictionaries(
    st.sampled_from(["a", "b", "DEFAULTS"]), st.none() | st.tuples(st.integers(1, 3), st.integers(1, 3))
)


def _spec(
    gpu: str | None, many: dict[str, tuple[int, int] | None], variables: dict[str, str | None]
) -> InteractiveSpec:
    items = {key: {"value": text, "deleted": text is None} for key, text in variables.items()}
    return spec(gpu={"value": gpu}, ports=ports(**many), environment={"items": items})


_SPECS = st.builds(
    _spec,
    st.none() | st.sampled_from(["1", "2"]),
    _PORTS,
    st.dictionaries(st.sampled_from(["A", "B"]), st.none() | st.sampled_from(["x", "y"])),
)


@given(_SPECS, _SPECS, _SPECS)
@settings(max_examples=100)
def test_layers_may_be_laid_upon_one_another_in_any_order(
    workload: InteractiveSpec, template: InteractiveSpec, policy: InteractiveSpec
) -> None:
    one = over(PARAMETERS, workload, over(PARAMETERS, template, policy))
    other = over(PARAMETERS, over(PARAMETERS, workload, template), policy)
    assert one == other
    assert over(PARAMETERS, one, one) == one, "laying a layer upon itself changes it"
    done = settled(PARAMETERS, one)
    assert settled(PARAMETERS, done) == done


@given(_SPECS, _SPECS)
@settings(max_examples=100)
def test_the_workload_wins_and_what_it_deletes_is_gone(workload: InteractiveSpec, lower: InteractiveSpec) -> None:
    merged = settled(PARAMETERS, over(PARAMETERS, workload, lower))
    assert merged.gpu.value == (workload.gpu.value or lower.gpu.value)
    for label, item in workload.ports.items.items():
        held = merged.ports.items.get(label)
        if item.deleted or label == "DEFAULTS":
            assert held is None
        else:
            assert held is not None
            assert item.value is not None
            assert held.value is not None
            assert held.value.container == item.value.container
    of_layers = origins(PARAMETERS, [(Layer.WORKLOAD, workload), (Layer.POLICY, lower)])
    assert {path.partition("[")[2][:-1] for path in of_layers if path.startswith("ports[")} == set(merged.ports.items)


@pytest.mark.parametrize("layers", [[], [(Layer.TEMPLATE, None)]])
def test_nothing_comes_from_layers_that_are_not_there(layers: list[tuple[Layer, None]]) -> None:
    assert origins(PARAMETERS, layers) == {}
