"""Whatever is read without error can be rendered, and the scheduler reads from the pod what the workload asks for."""

import dataclasses
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.kinds import TrainingWorkload
from aliquot.core.intake.pods import pod_facts, pod_problems
from aliquot.core.quantities import GpuPart
from aliquot.core.rendering import Context, Owner, external_urls, objects_beside, pod_of, workload_pod
from aliquot.core.submission import InvalidWorkload, ValidPod, effective
from aliquot.core.submission.pod_values import Gpus, Port, Url
from tests.core.rendering.golden_pods import DEFAULTS, SITE, context_of, first_pod, golden_workloads, load, workload_of
from tests.core.submission.parameters_read import READ, REFUSED
from tests.core.submission.test_effective import workload

SENSE = st.sampled_from([spec for spec, *_ in READ])
ANYTHING = st.sampled_from([spec for spec, *_ in (*READ, *REFUSED)])


def rendered(found: TrainingWorkload) -> tuple[Context, dict[str, Any], list[dict[str, Any]]]:
    spec = effective(found, DEFAULTS, SITE)
    context = dataclasses.replace(context_of(found, spec), restricted=True)
    pod = cast("dict[str, Any]", pod_of(spec, context, 0, 0, 0))
    return context, pod, cast("list[dict[str, Any]]", objects_beside(spec.pod, context))


@given(st.one_of(st.lists(SENSE, max_size=6), st.lists(ANYTHING, max_size=4)))
def test_whatever_is_read_renders_and_is_consistent(pieces: list[dict[str, object]]) -> None:
    together = {name: value for piece in pieces for name, value in piece.items()}
    try:
        _, pod, objects = rendered(workload(together))
    except InvalidWorkload:
        return
    assert json.loads(json.dumps([pod, objects])) == [pod, objects]
    volumes = [volume["name"] for volume in pod["spec"].get("volumes", [])]
    assert len(set(volumes)) == len(volumes)
    for container in containers(pod):
        mounts = [*container.get("volumeMounts", []), *container.get("volumeDevices", [])]
        assert {mount["name"] for mount in mounts} <= set(volumes), "whatever is mounted is a volume"
        variables = [variable["name"] for variable in container["env"]]
        assert len(set(variables)) == len(variables)
        paths = [mount.get("mountPath") or mount["devicePath"] for mount in mounts]
        assert len(set(paths)) == len(paths)
    keys = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in objects]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) for _, name in keys)


def containers(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from pod["spec"].get("initContainers", [])
    yield from pod["spec"]["containers"]


COUNTS = st.integers(1, 128)


def whole_gpus(count: int) -> Gpus:
    return Gpus(devices=count)


def slices(count: int) -> Gpus:
    return Gpus(devices=count, mig_profile="3g.40gb")


def fractions(hundredths: int, count: int) -> Gpus:
    return Gpus(devices=count, fraction=Decimal(hundredths).scaleb(-2).normalize())


def memory(mib: int, count: int) -> Gpus:
    return Gpus(devices=count, memory_mib=mib)


GPUS = st.one_of(
    st.just(Gpus()),
    st.integers(1, 10_000).map(whole_gpus),
    COUNTS.map(slices),
    st.builds(fractions, st.integers(1, 99), COUNTS),
    st.builds(memory, st.integers(100, 16 * 2**20), COUNTS),
)


@given(GPUS)
def test_the_scheduler_reads_what_is_asked_for(gpus: Gpus) -> None:
    spec = effective(workload({}), DEFAULTS)
    compute = dataclasses.replace(spec.pod.compute, gpus=gpus)
    spec = dataclasses.replace(spec, pod=dataclasses.replace(spec.pod, compute=compute))
    manifest = pod_of(spec, context_of(workload({}), spec), 0, 0, 0)
    pod = msgspec.convert(manifest, kubernetes.Pod)
    task = pod_facts(pod, None).task
    assert pod_problems(pod) == ()
    assert task.request.base.gpu_percent == 100 * gpus.whole
    if gpus.fraction is not None:
        assert task.request.part == GpuPart(percent=int(gpus.fraction * 100), devices=gpus.devices)
    elif gpus.memory_mib is not None:
        assert task.request.part == GpuPart(memory_mib=gpus.memory_mib, devices=gpus.devices)
    else:
        assert task.request.part is None
    wanted = {"nvidia.com/mig-3g.40gb": gpus.devices} if gpus.mig_profile else {}
    assert dict(task.request.mig) == wanted


@pytest.mark.parametrize("file", golden_workloads(), ids=lambda file: file.parent.name)
def test_only_containers_that_are_given_gpus_can_see_any(file: Any) -> None:
    """A pod with a part of a GPU is shown its devices by whoever places it; all others that ask for none see none."""
    pod = cast("dict[str, Any]", first_pod(workload_of(file)))
    with_gpus = {"gpu", "gpuDevices", "gpuMemory", "migProfile"} & cast("dict[str, Any]", load(file)["spec"]).keys()
    for container in containers(pod):
        hidden = {"name": names.VISIBLE_DEVICES_VARIABLE, "value": "void"} in container["env"]
        assert hidden is not (container in pod["spec"]["containers"] and bool(with_gpus))


def a_pod(**parts: Any) -> ValidPod:
    pod = effective(workload({}), DEFAULTS).pod
    return dataclasses.replace(pod, network=dataclasses.replace(pod.network, **parts))


OWNER = Owner("run.ai/v2alpha1", "InteractiveWorkload", "runai-team-a", "w", "6d1b2f8e-0000")
CONTEXT = Context(OWNER, "team-a", "lab", domain="gpu.example.com", ingress_class="nginx")


def test_a_service_finds_the_pods_of_its_workload_and_no_others() -> None:
    pod = a_pod(ports=(Port(container=80, service_type="ClusterIP"),))
    [service] = cast("list[dict[str, Any]]", objects_beside(pod, CONTEXT))
    labels = cast("dict[str, Any]", workload_pod(pod, CONTEXT, 0, 0, 0))["metadata"]["labels"]
    other = dataclasses.replace(OWNER, kind="TrainingWorkload")
    others = cast("dict[str, Any]", workload_pod(pod, dataclasses.replace(CONTEXT, owner=other), 0, 0, 0))
    assert service["spec"]["selector"].items() <= labels.items()
    assert not service["spec"]["selector"].items() <= others["metadata"]["labels"].items()


def test_the_addresses_of_the_ingress_are_those_that_the_status_tells() -> None:
    pod = a_pod(urls=(Url(8888), Url(6006), Url(80, "/team-a/board")))
    urls = ("https://gpu.example.com/team-a/lab", "https://gpu.example.com/team-a/lab/6006")
    assert external_urls(pod, CONTEXT) == (*urls, "https://gpu.example.com/team-a/board")
    ingress = cast("list[dict[str, Any]]", objects_beside(pod, CONTEXT))[-1]["spec"]
    [rule] = ingress["rules"]
    assert {f"https://{rule['host']}{path['path']}" for path in rule["http"]["paths"]} == set(
        external_urls(pod, CONTEXT)
    )
    assert ingress["ingressClassName"] == "nginx"


def test_a_workload_without_anything_beside_its_pods_has_nothing() -> None:
    assert objects_beside(a_pod(), CONTEXT) == []
    assert external_urls(a_pod(), CONTEXT) == ()


RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize(
    ("spec", "restricted", "of_pod", "of_container"),
    [
        ({}, False, {}, None),
        ({}, True, {"runAsNonRoot": True}, RESTRICTED),
        ({"runAsNonRoot": False}, True, {"runAsNonRoot": False}, RESTRICTED),
        ({"runAsNonRoot": True}, False, {"runAsNonRoot": True}, None),
        (
            {"allowPrivilegeEscalation": True, "dropAllCapabilities": False},
            True,
            {"runAsNonRoot": True},
            {"allowPrivilegeEscalation": True},
        ),
    ],
)
def test_in_a_restricted_namespace_the_user_has_the_last_word(
    spec: dict[str, object], restricted: bool, of_pod: dict[str, object], of_container: dict[str, object] | None
) -> None:
    found = effective(workload(spec), DEFAULTS)
    pod = cast("dict[str, Any]", pod_of(found, Context(OWNER, "team-a", "lab", restricted=restricted), 0, 0, 0))
    assert pod["spec"]["securityContext"] == {**of_pod, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["spec"]["containers"][0].get("securityContext") == of_container
