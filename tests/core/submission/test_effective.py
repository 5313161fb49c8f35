"""What a training workload may say, what it means, and what is answered to the rest."""

import shlex
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts.kinds import TrainingWorkload
from aliquot.contracts.kinds.shapes import outside_name
from aliquot.contracts.kinds.workloads import TrainingSpec
from aliquot.core.submission import Defaults, InvalidWorkload, Site, ValidPod, ValidSpec, Variable, effective
from aliquot.core.submission.extent import not_carried_out
from aliquot.core.submission.keys import MOST_ENVIRONMENT_BYTES
from aliquot.core.submission.pod_values import Gpus, Process
from aliquot.core.tenancy import NodeTypes

MIB = 2**20
DEFAULTS = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=100 * MIB)
"""As the settings have them."""
SITE = Site("team-a", "gpu.example.com", (), NodeTypes(("dgx-1", "dgx-2")), NodeTypes(("dgx-1", "dgx-2")))


def workload(spec: Mapping[str, object], priority: object = None) -> TrainingWorkload:
    """Make a workload with an image and what is given: plain values, or mappings of many items."""
    parameters: dict[str, object] = {"image": {"value": "ubuntu:24.04"}}
    for name, value in spec.items():
        if name in ("usage", "baseWorkload"):
            parameters[name] = value
        elif isinstance(value, Mapping):
            items = cast("Mapping[str, object]", value)
            parameters[name] = {"items": {key: {"value": item} for key, item in items.items()}}
        else:
            parameters[name] = {"value": value}
    labels = {} if priority is None else {"priorityClassName": priority}
    return TrainingWorkload.model_validate({"metadata": {"name": "w", "labels": labels}, "spec": parameters})


def carried_out(**spec: object) -> ValidSpec:
    return effective(workload(spec), DEFAULTS, SITE)


def refusals(of: TrainingWorkload) -> dict[str, str]:
    """What is said about each field."""
    with pytest.raises(InvalidWorkload) as caught:
        effective(of, DEFAULTS, SITE)
    fields = [error.field for error in caught.value.errors]
    assert fields == sorted(fields)
    return {error.field: str(error) for error in caught.value.errors}


def test_an_image_is_enough_and_the_rest_has_defaults() -> None:
    assert carried_out() == ValidSpec(
        pod=ValidPod(priority_class="train", process=Process(image="ubuntu:24.04")),
        completions=1,
        parallelism=1,
        backoff_limit=6,
        ttl_seconds=None,
        active=True,
    )


def test_the_name_in_spec_is_the_jobs_name_whatever_the_object_is_called() -> None:  # S3
    assert carried_out(name="job-1").job_name == "job-1"
    assert carried_out(namePrefix="sweep").name_prefix == "sweep"


@pytest.mark.parametrize(
    ("spec", "cpu", "memory_mib"),
    [
        # cluster-api.md 5.9 and S56, with one CPU and 100 MiB for each GPU: (request, limit) of each.
        pytest.param({}, (0, None), (0, None), id="nothing asked for, nothing given"),
        pytest.param({"gpu": "2"}, (2000, None), (200, None), id="a share for each GPU"),
        pytest.param({"gpu": "0"}, (0, None), (0, None), id="no GPUs, no share"),
        pytest.param(
            {"cpuLimit": "10", "memoryLimit": "1000Mi"},
            (1000, 10000),
            (100, 1000),
            id="without GPUs a tenth of the limit",
        ),
        pytest.param({"cpuLimit": "0.001"}, (1, 1), (0, None), id="a tenth rounds up"),
        pytest.param({"gpu": "2", "cpuLimit": "1.5"}, (1500, 1500), (200, None), id="a share is at most the limit"),
        pytest.param({"gpu": "2", "cpu": "0.5", "memory": "1Gi"}, (500, None), (1024, None), id="what is said holds"),
        pytest.param({"gpu": "2", "cpu": "0", "cpuLimit": "4"}, (0, 4000), (200, None), id="also if it says nothing"),
        pytest.param({"cpu": "100m"}, (100, None), (0, None), id="CPU as Kubernetes writes it"),
        pytest.param({"cpu": "2", "cpuLimit": "2"}, (2000, 2000), (0, None), id="a limit may equal the request"),
    ],
)
def test_cpu_and_memory(
    spec: dict[str, object], cpu: tuple[int, int | None], memory_mib: tuple[int, int | None]
) -> None:
    found = carried_out(**spec).pod.compute
    request, limit = memory_mib
    assert (found.cpu_milli, found.cpu_limit_milli) == cpu
    assert (found.memory_bytes, found.memory_limit_bytes) == (request * MIB, None if limit is None else limit * MIB)


def test_the_share_of_each_gpu_is_a_setting() -> None:  # S56
    assert effective(workload({"gpu": "2"}), Defaults(6000, 0)).pod.compute.cpu_milli == 12000


@pytest.mark.parametrize(("written", "gpus"), [("0", 0), ("1", 1), ("17", 17), ("8.0", 8), ("2.", 2), ("+3", 3)])
def test_whole_numbers_of_gpus_are_given(written: str, gpus: int) -> None:
    assert carried_out(gpu=written).pod.compute.gpus == Gpus(devices=gpus)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ()),
        ("sleep infinity", ("sleep", "infinity")),
        ("/bin/sh -c 'date; echo \"a  b\"'", ("/bin/sh", "-c", 'date; echo "a  b"')),
        (r"echo a\ b # no comment", ("echo", "a b", "#", "no", "comment")),
    ],
)
def test_command_lines_are_split_as_a_shell_does(line: str, words: tuple[str, ...]) -> None:
    assert carried_out(command=line).pod.process.command == words
    assert carried_out(arguments=line).pod.process.arguments == words


@given(
    words=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), max_size=8)
)
def test_every_list_of_words_can_be_written_as_a_command_line(words: list[str]) -> None:
    assert carried_out(command=shlex.join(words)).pod.process.command == tuple(words)


def test_environment_is_sorted_and_may_read_secrets() -> None:
    found = carried_out(environment={"TOKEN": "SECRET:hub.creds,tls.key", "RATE": "0.2", "EMPTY": ""})
    assert found.pod.process.environment == (
        Variable("EMPTY"),
        Variable("RATE", "0.2"),
        Variable("TOKEN", secret="hub.creds", secret_key="tls.key"),
    )


def test_items_that_are_deleted_do_not_count() -> None:
    spec = {
        "image": {"value": "ubuntu"},
        "environment": {"items": {"A": {"deleted": True, "value": "1"}, "B": {"deleted": True}, "C": {"value": "3"}}},
        "pvcs": {"items": {"data": {"deleted": True}}},
    }
    found = effective(TrainingWorkload.model_validate({"spec": spec}), DEFAULTS).pod
    assert found.process.environment == (Variable("C", "3"),)
    assert found.storage.claims == ()


@pytest.mark.parametrize("parameter", ["labels", "annotations"])
@pytest.mark.parametrize("key", ["team", "example.com/stage", "app.kubernetes.io/name", "lab.aliquot.dev/duration"])
@pytest.mark.parametrize("value", ["", "a", "20s", "A.b_c-9"])
def test_labels_and_annotations_are_the_users_own(parameter: str, key: str, value: str) -> None:
    assert getattr(carried_out(**{parameter: {key: value}}).pod.identity, parameter) == {key: value}


def test_an_annotation_may_say_anything() -> None:
    found = carried_out(annotations={"note": "größer\nals " * 1000}).pod.identity.annotations
    assert found == {"note": "größer\nals " * 1000}


@pytest.mark.parametrize(
    ("spec", "pools"),
    [
        ({"nodePool": "a100"}, ("a100",)),
        ({"nodePools": "g10 g9"}, ("g10", "g9")),
        ({"nodePools": "  g10   g9 g10 "}, ("g10", "g9")),
        ({"nodePools": ""}, ()),
    ],
)
def test_node_pools_keep_their_order(spec: dict[str, object], pools: tuple[str, ...]) -> None:
    assert carried_out(**spec).pod.placement.node_pools == pools


@pytest.mark.parametrize(
    ("written", "name"),
    [(None, "train"), ("", "train"), ("build", "build"), ("interactivePreemptible", "interactive-preemptible")],
)
def test_the_priority_class_is_a_label_of_the_workload(written: str | None, name: str) -> None:
    assert effective(workload({}, written), DEFAULTS).pod.priority_class == name


def test_the_remaining_parameters_arrive() -> None:
    found = carried_out(
        imagePullPolicy="Always",
        workingDir="/workspace",
        nodeType="dgx-2",
        completions=5,
        parallelism=5,
        backoffLimit=0,
        autoDeletionTimeAfterCompletionSeconds=0,
        active=False,
        username="Ada Lovelace <ada@example.com>",
    )
    assert found.pod.process.image_pull_policy == "Always"
    assert found.pod.process.working_dir == "/workspace"
    assert found.pod.placement.node_type == "dgx-2"
    assert (found.completions, found.parallelism, found.backoff_limit, found.ttl_seconds) == (5, 5, 0, 0)
    assert found.active is False
    assert found.pod.identity.user == "Ada Lovelace <ada@example.com>"


REFUSED: list[tuple[dict[str, object], str, str]] = [
    # what is given, the field that is named, a part of what is said about it
    ({"gpu": "one"}, "spec.gpu.value", """'one' is not allowed: a whole number of GPUs, such as "0", "1" or "8\""""),
    ({"gpu": "-1"}, "spec.gpu.value", "'-1' is not allowed: a whole number of GPUs"),
    ({"gpu": "1.5"}, "spec.gpu.value", "'1.5' is not allowed: a whole number of GPUs"),
    ({"gpu": ""}, "spec.gpu.value", "a whole number of GPUs"),
    ({"gpu": "1e3"}, "spec.gpu.value", "a whole number of GPUs"),
    ({"gpu": "٣"}, "spec.gpu.value", "a whole number of GPUs"),
    ({"gpu": "10001"}, "spec.gpu.value", "at most 10000"),
    ({"cpu": "-1"}, "spec.cpu.value", "a number of CPU cores"),
    ({"cpu": "many"}, "spec.cpu.value", "a number of CPU cores"),
    ({"cpu": "1000000"}, "spec.cpu.value", "at most 100000"),
    ({"cpu": "3", "cpuLimit": "2"}, "spec.cpuLimit.value", "'2' is not allowed: no less than spec.cpu, which is 3"),
    ({"cpuLimit": "0"}, "spec.cpuLimit.value", "leave it out for no limit"),
    ({"memory": "-1Gi"}, "spec.memory.value", "an amount of memory"),
    ({"memory": "4 G"}, "spec.memory.value", "an amount of memory"),
    ({"memory": "1e30"}, "spec.memory.value", "at most 64Ti"),
    ({"memory": "1Gi", "memoryLimit": "1G"}, "spec.memoryLimit.value", "no less than spec.memory, which is 1Gi"),
    ({"image": None}, "spec.image.value", "missing: a container image, such as ubuntu:24.04"),
    ({"image": ""}, "spec.image.value", "a container image"),
    ({"image": " ubuntu"}, "spec.image.value", "a container image"),
    ({"image": "ubuntu:ä"}, "spec.image.value", "a container image"),
    ({"imagePullPolicy": "Sometimes"}, "spec.imagePullPolicy.value", "Always, IfNotPresent or Never"),
    ({"name": "Job"}, "spec.name.value", "lower-case letters, digits and '-'"),
    ({"name": "größe"}, "spec.name.value", "lower-case letters, digits and '-'"),
    ({"name": "1st"}, "spec.name.value", "with a letter first"),
    ({"name": "job-"}, "spec.name.value", "no '-' last"),
    ({"name": "job\n"}, "spec.name.value", "lower-case letters"),
    ({"name": "j" * 53}, "spec.name.value", "at most 52"),
    ({"namePrefix": "j" * 46}, "spec.namePrefix.value", "at most 45"),
    ({"name": "job", "namePrefix": "job"}, "spec.namePrefix.value", "left out, because spec.name"),
    ({"command": "echo 'a"}, "spec.command.value", '"echo \'a" is not allowed: one line that a shell could split'),
    ({"arguments": "a\\"}, "spec.arguments.value", "nothing missing after the last backslash"),
    ({"command": "a\0b"}, "spec.command.value", "without the character NUL"),
    ({"arguments": "ä" * 70_000}, "spec.arguments.value", "at most 131072 bytes"),
    ({"workingDir": "src"}, "spec.workingDir.value", "an absolute path"),
    ({"nodeType": "a b"}, "spec.nodeType.value", "a node's label run.ai/type"),
    ({"nodeType": ""}, "spec.nodeType.value", "a node's label run.ai/type"),
    ({"nodePools": "a,b"}, "spec.nodePools.value", "node pools with spaces between them"),
    ({"nodePool": "a b"}, "spec.nodePool.value", "the name of one node pool"),
    ({"nodePool": "a", "nodePools": "a b"}, "spec.nodePool.value", "left out, because spec.nodePools"),
    ({"completions": 0}, "spec.completions.value", "a whole number from 1 to 100000"),
    ({"parallelism": 2}, "spec.parallelism.value", "2 is not allowed: at most spec.completions, which is 1"),
    ({"completions": 2, "parallelism": 3}, "spec.parallelism.value", "at most spec.completions, which is 2"),
    ({"backoffLimit": -1}, "spec.backoffLimit.value", "a whole number from 0"),
    (
        {"autoDeletionTimeAfterCompletionSeconds": -1},
        "spec.autoDeletionTimeAfterCompletionSeconds.value",
        "a whole number from 0",
    ),
    ({"priority": "Über"}, "metadata.labels[priorityClassName]", "the name of a PriorityClass"),
    ({"labels": {"bad key": "x"}}, "spec.labels.items[bad key]", "letters, digits"),
    ({"labels": {"Example.com/x": "x"}}, "spec.labels.items[Example.com/x]", "a lower-case domain"),
    ({"labels": {"/x": "x"}}, "spec.labels.items[/x]", "a lower-case domain"),
    ({"labels": {"größe": "x"}}, "spec.labels.items[größe]", "letters, digits"),
    ({"labels": {"k" * 64: "x"}}, f"spec.labels.items[{'k' * 64}]", "at most 63 characters"),
    ({"labels": {"x": "a b"}}, "spec.labels.items[x].value", "'a b' is not allowed: letters, digits"),
    ({"labels": {"x": "v" * 64}}, "spec.labels.items[x].value", "at most 63 characters"),
    ({"labels": {"x": None}}, "spec.labels.items[x].value", "write an empty one as ''"),
    ({"annotations": {"x": "v" * 250_000, "y": "v" * 5_000}}, "spec.annotations", "at most 253952 bytes"),
    ({"environment": {"1A": "x"}}, "spec.environment.items[1A]", "no digit first"),
    ({"environment": {"A=B": "x"}}, "spec.environment.items[A=B]", "a name of letters"),
    ({"environment": {"": "x"}}, "spec.environment.items[]", "a name of letters"),
    ({"environment": {"A": "x\0"}}, "spec.environment.items[A].value", "without the character NUL"),
    ({"environment": {"A": "SECRET:one"}}, "spec.environment.items[A].value", "SECRET:NAME,KEY"),
    ({"environment": {"A": "SECRET:one,..k"}}, "spec.environment.items[A].value", "SECRET:NAME,KEY"),
    ({"environment": {"A": "SECRET:One,k"}}, "spec.environment.items[A].value", "SECRET:NAME,KEY"),
    (
        {"environment": {f"PART_{n}": "x" * 32_000 for n in range(33)}},
        "spec.environment",
        "'1056221 bytes' is not allowed: at most 262144 bytes of names and values together, so that a pod fits into",
    ),
    ({"username": "x" * 254}, "spec.username.value", "at most 253 characters"),
]


@pytest.mark.parametrize(
    ("spec", "field", "said"), REFUSED, ids=[f"{field[:60]} {number}" for number, (_, field, _) in enumerate(REFUSED)]
)
def test_what_cannot_be_carried_out_is_refused_by_field(spec: dict[str, object], field: str, said: str) -> None:
    without_label = {name: value for name, value in spec.items() if name != "priority"}
    answers = refusals(workload(without_label, spec.get("priority")))
    assert list(answers) == [field], "exactly the field that is wrong is named"
    assert said in answers[field]
    assert len(answers[field]) < 600


OURS = {
    "labels": [
        "runai-gpu-group",
        "runai-gpu-group/GPU-0",
        "runai/queue",
        "project",
        "runai/node-pool",
        "run.ai/type",
        "run.ai/workload-kind",
        "priorityClassName",
        "release",
        "workloadName",
        "app.kubernetes.io/managed-by",
        "aliquot.dev/pod-index",
        "aliquot.dev/anything",
    ],
    "annotations": [
        "user",
        "aliquot.dev/failed-attempts",
        "aliquot.dev/node-pools",
        "run.ai/anything",
        "aliquot.dev/user-id",
        "gpu-fraction",
        "pod-group-name",
        "gpu-fraction-num-devices",
        "gpu-memory",
        "received-resource-type",
        "runai-node",
        "cdi.k8s.io/gpus",
        "nvidia.cdi.k8s.io/gpus",
    ],
    "environment": [
        *(value for name, value in vars(names).items() if name.startswith("ENV_")),
        "NVIDIA_IMEX_CHANNELS",
        "NVIDIA_VISIBLE_DEVICES",
    ],
}


@pytest.mark.parametrize(("parameter", "name"), [(kind, name) for kind, taken in OURS.items() for name in taken])
def test_nobody_sets_what_aliquot_sets(parameter: str, name: str) -> None:
    assert list(refusals(workload({parameter: {name: "x"}}))) == [f"spec.{parameter}.items[{name}]"]


NOTHING_COMES_OF_THEM: dict[str, object] = {
    "ingressUrl": "https://gpu.example.com/x",
}


def test_what_nothing_comes_of_is_known() -> None:
    given = {outside_name(name) for name in not_carried_out(TrainingSpec)}
    assert given == NOTHING_COMES_OF_THEM.keys()


@pytest.mark.parametrize("parameter", NOTHING_COMES_OF_THEM)
def test_a_parameter_that_would_be_ignored_is_refused_by_name(parameter: str) -> None:
    answers = refusals(workload({parameter: NOTHING_COMES_OF_THEM[parameter]}))
    assert list(answers) == [f"spec.{parameter}"]
    assert "leave it out" in answers[f"spec.{parameter}"] or "left out" in answers[f"spec.{parameter}"]


@pytest.mark.parametrize("parameter", ["mpi", "terminateAfterPreemption"])
def test_who_asks_for_nothing_of_the_kind_is_not_refused(parameter: str) -> None:
    assert carried_out(**{parameter: False}) == carried_out()


def test_everything_wrong_is_said_at_once_and_briefly() -> None:
    secret_references = {f"1{'x' * 10_000}{n}": "SECRET:" * 1000 for n in range(5)}
    with pytest.raises(InvalidWorkload) as caught:
        effective(workload(NOTHING_COMES_OF_THEM | {"gpu": "one", "environment": secret_references}), DEFAULTS)
    wrong = {error.field for error in caught.value.errors}
    assert {"spec.gpu.value", *(f"spec.{parameter}" for parameter in NOTHING_COMES_OF_THEM)} <= wrong
    assert len(caught.value.errors) == 1 + len(NOTHING_COMES_OF_THEM) + 2 * len(secret_references)
    assert all(len(str(error)) < 1000 for error in caught.value.errors)


def test_an_environment_of_just_the_allowed_size_is_carried_out() -> None:
    size = MOST_ENVIRONMENT_BYTES // 8 - 1
    assert len(carried_out(environment={chr(65 + n): "x" * size for n in range(8)}).pod.process.environment) == 8
    assert "spec.environment" in refusals(workload({"environment": {chr(65 + n): "x" * (size + 1) for n in range(8)}}))


texts = st.text(max_size=80)


@given(
    spec=st.dictionaries(
        st.sampled_from(["gpu", "cpu", "cpuLimit", "memory", "memoryLimit", "name", "image", "command", "nodePools"]),
        st.one_of(texts, st.from_regex(r"[0-9]{1,4}(Gi|m|\.5)?", fullmatch=True)),
    ),
    labels=st.dictionaries(texts, texts, max_size=3),
    environment=st.dictionaries(texts, texts, max_size=3),
)
def test_whatever_is_written_the_answer_is_a_sound_spec_or_a_refusal(
    spec: dict[str, object], labels: dict[str, str], environment: dict[str, str]
) -> None:
    try:
        found = carried_out(labels=labels, environment=environment, **spec)
    except InvalidWorkload:
        return
    assert found.gpus >= 0
    compute = found.pod.compute
    assert 0 <= compute.cpu_milli <= (compute.cpu_limit_milli or compute.cpu_milli)
    assert 0 <= compute.memory_bytes <= (compute.memory_limit_bytes or compute.memory_bytes)
    assert 1 <= found.parallelism <= found.completions


def test_how_close_pods_are_to_be_may_stand_on_the_workload_or_with_the_annotations_of_its_pods() -> None:
    own = {f"kai.scheduler/{end}": end for end in ("topology", "topology-required-placement", "segment-size")}
    items = {"kai.scheduler/topology": {"value": "said"}, "example.com/a": {"value": "b"}}
    spec = {"image": {"value": "ubuntu"}, "annotations": {"items": items}}
    asked = TrainingWorkload.model_validate({"metadata": {"annotations": {**own, "team": "x"}}, "spec": spec})
    assert effective(asked, DEFAULTS, SITE).pod.identity.annotations == {
        "example.com/a": "b",
        "kai.scheduler/topology": "said",
        "kai.scheduler/topology-required-placement": "topology-required-placement",
    }


CLUSTERS = {
    "a limit for each GPU": (
        {"gpu": "2"},
        Defaults(1000, 100 * MIB, cpu_limit_milli_per_gpu=4000, memory_limit_bytes_per_gpu=MIB),
        (2000, 8000, 2 * MIB, 2 * MIB),
    ),
    "a limit that nobody wrote is no less than the request": (
        {"gpu": "1", "cpu": "6", "memory": "1Gi"},
        Defaults(1000, 100 * MIB, cpu_limit_milli_per_gpu=4000, memory_limit_bytes_per_gpu=MIB),
        (6000, 6000, 1024 * MIB, 1024 * MIB),
    ),
    "a limit that somebody wrote counts": (
        {"gpu": "1", "cpuLimit": "3"},
        Defaults(1000, 100 * MIB, cpu_limit_milli_per_gpu=4000),
        (1000, 3000, 100 * MIB, None),
    ),
    "no GPUs, no limit": (
        {"cpu": "1", "memory": "1Mi"},
        Defaults(1000, 100 * MIB, cpu_limit_milli_per_gpu=4000, memory_limit_bytes_per_gpu=MIB),
        (1000, None, MIB, None),
    ),
    "another part of the limit, rounded up": (
        {"cpuLimit": "1", "memoryLimit": "10Mi"},
        Defaults(1000, 100 * MIB, cpu_of_limit=Decimal("0.3333"), memory_of_limit=Decimal("0.5")),
        (334, 1000, 5 * MIB, 10 * MIB),
    ),
}


@pytest.mark.parametrize(("spec", "defaults", "amounts"), CLUSTERS.values(), ids=CLUSTERS.keys())
def test_a_cluster_may_say_more_about_cpu_and_memory(
    spec: dict[str, object], defaults: Defaults, amounts: tuple[int | None, ...]
) -> None:
    compute = effective(workload(spec), defaults, SITE).pod.compute
    assert (compute.cpu_milli, compute.cpu_limit_milli, compute.memory_bytes, compute.memory_limit_bytes) == amounts
