"""From a policy of REST to the spec of a cluster's: every member, and what is refused by name."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from aliquot.contracts.administrator_api.policies import (
    DistributedPolicy,
    InferencePolicy,
    PolicyType,
    TrainingPolicy,
    WorkspacePolicy,
)
from aliquot.contracts.administrator_api.submissions import parts
from aliquot.controlplane.failures import in_words
from aliquot.controlplane.policies.fields import listed_tables
from aliquot.controlplane.policies.judging import CLUSTER_MODELS, MODELS, check, kind_of, spec_of
from aliquot.controlplane.submissions.mapping import KEYED, outside
from aliquot.errors import UserError
from tests.controlplane.policy_rows import ALL, CHOICE, DEFAULTS, RULES, SINGLE, r, whole

# kinds, field, what a policy says of it
REFUSED: tuple[tuple[tuple[str, ...], str, str, Any], ...] = (
    (ALL, "defaults", "probes", {"readiness": {}, "x": 1}),
    (ALL, "rules", "probes", {"readiness": {"periodSeconds": {"min": 1}}}),
    (ALL, "defaults", "relatedUrls", {"instances": [{"url": "x"}]}),
    (ALL, "rules", "relatedUrls", {"instances": {"canAdd": False}}),
    (SINGLE, "defaults", "priorityClass", "build"),
    (SINGLE, "rules", "priorityClass", {"canEdit": False}),
    (("distributed",), "defaults", "distributedFramework", "MPI"),
    (("distributed",), "rules", "distributedFramework", {"canEdit": False}),
    (("distributed",), "defaults", "terminateAfterPreemption", True),
    (("distributed",), "rules", "terminateAfterPreemption", {"canEdit": False}),
    (("workspace",), "rules", "backoffLimit", {"max": 2}),
    (("workspace",), "defaults", "backoffLimit", 2),
    (("inference",), "defaults", "servingPort", {"container": 80}),
    (("inference",), "rules", "servingPort", {"container": {"min": 80}}),
    (("inference",), "rules", "autoscaling.scaleToZeroRetentionSeconds", {"min": 80}),
    (("inference",), "defaults", "security.allowPrivilegeEscalation", False),
    (("inference",), "rules", "security.allowPrivilegeEscalation", {"canEdit": False}),
    (ALL, "rules", "compute.gpuRequestType", {"canEdit": False}),
    (ALL, "rules", "compute.gpuDevicesRequest.max", 0),
    (ALL, "rules", "security.runAsUid.step", 2),
    (ALL, "rules", "security.uidGidSource.options", [{"value": "custom"}]),
    (ALL, "defaults", "security.readOnlyRootFilesystem", True),
    (ALL, "rules", "security.readOnlyRootFilesystem", {"canEdit": False}),
    (ALL, "defaults", "storage.dataVolume", {"instances": [{"id": "x"}]}),
    (ALL, "rules", "storage.dataVolume", {"instances": {"canAdd": False}}),
    (ALL, "defaults", "storage.secretVolume", {"instances": [{"secret": "x"}]}),
    (ALL, "rules", "storage.secretVolume", {"instances": {"canAdd": False}}),
    (ALL, "rules", "storage.hostPath.attributes.mountPropagation", {"canEdit": False}),
    (ALL, "rules", "ports.attributes.customExternalPort", {"canEdit": False}),
    (ALL, "rules", "ports.attributes.toolType", {"canEdit": False}),
    (ALL, "rules", "exposedUrls.attributes.customUrl", {"canEdit": False}),
    (ALL, "rules", "exposedUrls.attributes.toolName", {"canEdit": False}),
    (ALL, "rules", "image.sourceOfRule", {"scope": "tenant"}),
    (ALL, "rules", "image.options", []),
    (ALL, "defaults", "command", "x" * 40_000),
    (ALL, "defaults", "image", "x" * 1025),
    (ALL, "defaults", "nonsense", True),
    (ALL, "rules", "environmentVariables.instances.locked", ["A"]),
    (ALL, "defaults", "tolerations.instances", [{"operator": "Exists"}]),
    (ALL, "defaults", "tolerations.instances", [{"key": "k", "effect": "NoSchedule", "seconds": 5}]),
    (ALL, "defaults", "tolerations.instances", [{"key": "k", "operator": "Exists", "value": "v"}]),
    (ALL, "defaults", "ports.instances", [{"name": "a", "container": 1}, {"name": "a", "container": 2}]),
    (ALL, "defaults", "ports.instances", [{"name": "DEFAULTS", "container": 1}]),
    (ALL, "defaults", "environmentVariables.instances", [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]),
    (ALL, "defaults", "security.supplementalGroups", "wheel"),
    (ALL, "defaults", "compute.gpuPortionRequest", 0.5),
    (ALL, "defaults", "compute.cpuMemoryRequest", "1..5G"),
    (ALL, "defaults", "compute.cpuMemoryRequest", "5Q"),
    (ALL, "rules", "compute.cpuMemoryRequest.max", "5Q"),
    (ALL, "defaults", "compute", {"cpuCoreRequest": 2, "cpuCoreLimit": 1}),
    (ALL, "defaults", "compute", {"cpuMemoryRequest": "2G", "cpuMemoryLimit": "1G"}),
    (ALL, "rules", "compute.cpuCoreRequest", {"min": 3, "max": 2}),
    (ALL, "rules", "compute.cpuCoreRequest", {"step": 0}),
    (ALL, "rules", "compute.cpuMemoryRequest", {"min": "3G", "max": "2G"}),
    (ALL, "rules", "image", {"required": True, "canEdit": False}),
    (ALL, "rules", "compute", {"gpuDevicesRequest": {"max": 2}, "gpuPortionRequest": {"max": 0.5}}),
    (("training",), "defaults", "parallelism", 0),
    (("distributed",), "defaults", "numWorkers", 1_000_000),
)


SEVERAL = {**KEYED, **{member: how.parameter for member, how in listed_tables()}}


@pytest.mark.parametrize("member", SEVERAL)
@pytest.mark.parametrize("workloads", ALL)
def test_what_there_may_be_several_of_may_be_closed(workloads: PolicyType, member: str) -> None:
    document = whole(workloads, "rules", f"{outside(member)}.instances", {"canAdd": False})
    assert spec_of(workloads, document) == {SEVERAL[member]: r(canAdd=False)}


def _cases(rows: tuple[tuple[Any, ...], ...]) -> list[Any]:
    return [pytest.param(kind, *row[1:], id=f"{kind} {row[1]}") for row in rows for kind in row[0]]


@pytest.mark.parametrize(("workloads", "field", "value", "expected"), _cases(DEFAULTS))
def test_a_default_becomes_one_of_the_cluster(
    workloads: PolicyType, field: str, value: Any, expected: dict[str, Any]
) -> None:
    document = whole(workloads, "defaults", field, value)
    assert spec_of(workloads, document) == expected
    check(workloads, document)


@pytest.mark.parametrize(("workloads", "field", "rules", "expected"), _cases(RULES))
def test_rules_become_those_of_the_cluster(
    workloads: PolicyType, field: str, rules: Any, expected: dict[str, Any]
) -> None:
    assert spec_of(workloads, whole(workloads, "rules", field, rules)) == expected


@pytest.mark.parametrize(("workloads", "half", "field", "said"), _cases(REFUSED))
def test_what_no_cluster_takes_is_refused_by_name(workloads: PolicyType, half: str, field: str, said: Any) -> None:
    document = whole(workloads, half, field, said)
    with pytest.raises((UserError, ValidationError)) as caught:
        check(workloads, document)
    error = caught.value
    told = str(error) if isinstance(error, UserError) else in_words(error.errors())[0]
    assert field.split(".", maxsplit=1)[0] in told, told


def _fields(model: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The members of a model that say something by themselves."""
    for name, field in model.model_fields.items():
        if _is_not_carried_out(field) or name in ("exclude", "name") or name.startswith("secret_key_of"):
            continue
        inner = [each for each in map(_model, get_args(field.annotation)) if each is not None]
        here = (*path, field.alias or name)
        is_rules = inner and any(name in inner[0].model_fields for name in ("can_edit", "can_add"))
        if name == "attributes" and inner[0].__name__.startswith("PartOf"):
            continue  # the same as of instances
        if inner and not is_rules and "secret" not in inner[0].model_fields and "value" not in inner[0].model_fields:
            yield from _fields(inner[0], here)
        else:
            yield ".".join(here)


def _is_not_carried_out(field: Any) -> bool:
    marks = [*field.metadata, *(mark for each in get_args(field.annotation) for mark in get_args(each))]
    return any(mark in marks for mark in get_args(parts.NotCarriedOut)[1:])


def _model(annotation: Any) -> Any:
    """The model of a member, or of the entries of a list."""
    if get_origin(annotation) is Annotated:
        marks = get_args(annotation)[1:]
        several = [mark._model for mark in marks if hasattr(mark, "_model")]
        return several[0] if several else _model(get_args(annotation)[0])
    if get_origin(annotation) is list:
        return _model(get_args(annotation)[0])
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


@pytest.mark.parametrize(("half", "rows"), [("defaults", DEFAULTS), ("rules", RULES)], ids=["defaults", "rules"])
@pytest.mark.parametrize("workloads", ALL)
def test_the_rows_have_every_member(workloads: PolicyType, half: str, rows: tuple[Any, ...]) -> None:
    model = MODELS[workloads].model_fields[half].annotation
    tree = get_args(model)[0]
    if workloads == "distributed":
        tree = get_args(tree.model_fields["worker"].annotation)[0]
    said = [path for kinds, path, value, _ in rows if workloads in kinds for path in _paths(path, value)]
    if half == "defaults":
        said = [path.replace(".attributes.", ".instances.") for path in said]
    else:
        said += [f"{outside(member)}.instances" for member in SEVERAL]
    refused = {path for kinds, of, path, _ in REFUSED if workloads in kinds and of == half}
    missing = {
        field
        for field in _fields(tree)
        if not any(path == field or path.startswith(f"{field}.") for path in (*said, *refused))
    }
    assert missing == set()


def _paths(path: str, value: Any) -> Iterator[str]:
    yield path
    if isinstance(value, Mapping):
        for name, below in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _paths(f"{path}.{name}", below)
    elif isinstance(value, list):
        for below in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _paths(path, below)


@pytest.mark.parametrize("model", [WorkspacePolicy, TrainingPolicy, DistributedPolicy, InferencePolicy])
def test_assets_are_refused(model: type[BaseModel]) -> None:
    assert model.model_validate({"imposedAssets": []})
    with pytest.raises(ValidationError, match="leave it out"):
        model.model_validate({"imposedAssets": ["f12c965b-44e9-4ff6-8b43-01d8f9e630cc"]})


def test_what_is_locked_may_be_neither_changed_nor_taken_away() -> None:
    document = {
        "defaults": {"storage": {"hostPath": {"instances": [{"name": "d", "path": "/d", "mountPath": "/m"}]}}},
        "rules": {"storage": {"hostPath": {"instances": {"locked": ["d"]}}}},
    }
    item = {"value": {"sourcePath": "/d", "targetPath": "/m"}, "rules": {"canEdit": False, "canRemove": False}}
    assert spec_of("training", document) == {"volumes": {"items": {"d": item}}}


def test_defaults_that_break_the_rules_are_refused_in_the_words_of_rest() -> None:
    document = {
        "defaults": {"compute": {"gpuDevicesRequest": 8}},
        "rules": {"compute": {"gpuDevicesRequest": {"max": 4}}},
    }
    with pytest.raises(UserError) as caught:
        check("training", document)
    assert str(caught.value) == (
        "policy.defaults.compute.gpuDevicesRequest: '8' is not allowed: must be no greater than 4"
    )
    image = {"defaults": {"image": "c"}, "rules": {"image": CHOICE}}
    with pytest.raises(UserError, match=r"policy\.defaults\.image: 'c' is not allowed: must be one of a, b"):
        check("training", image)
    ports = {
        "defaults": {"ports": {"attributes": {"external": 5}}},
        "rules": {"ports": {"attributes": {"external": {"min": 9}}}},
    }
    with pytest.raises(UserError, match=r"policy\.defaults\.ports\.attributes\.external: 5 is not allowed"):
        check("training", ports)


def test_every_type_has_a_kind_of_the_cluster() -> None:
    assert {kind_of(workloads) for workloads in get_args(PolicyType)} == set(CLUSTER_MODELS)
