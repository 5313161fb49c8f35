"""What is refused at admission, and with which words; what is only warned of."""

import re
from dataclasses import replace
from typing import Any

import pytest

from aliquot import names
from aliquot.contracts.kinds.policies import TrainingPolicy
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.tenancy import AccessRule, AccessRuleSpec, Department, NodePool, NodePoolSpec, Project
from aliquot.contracts.kinds.workloads import TrainingWorkload, Workload
from aliquot.contracts.kubernetes import Container, Namespace, Pod, PodSpec, Resources
from aliquot.contracts.kubernetes import Metadata as CoreMetadata
from aliquot.core.admission import Reviewed, Verdict, review
from aliquot.core.submission import InvalidWorkload, effective, read_workload
from tests.core.submission import written as of_kind
from tests.core.submission.written import WORKLOADS
from tests.support.written_cluster import DEFAULTS, Cluster


def namespace(name: str, project: str | None = None) -> Namespace:
    return Namespace(metadata=CoreMetadata(name=name, labels={names.QUEUE_LABEL: project} if project else {}))


def queues(pools: dict[str, float]) -> list[dict[str, Any]]:
    return [{"name": "q", "nodepool": pool, "resources": {"gpu": {"deserved": n}}} for pool, n in pools.items()]


def project(name: str = "vision", gpus: float = 4, pool: str = "default", **spec: Any) -> Project:
    return Project.model_validate({"metadata": {"name": name}, "spec": {"queues": queues({pool: gpus}), **spec}})


def department(name: str = "research", gpus: float = 8) -> Department:
    return Department.model_validate({"metadata": {"name": name}, "spec": {"queues": queues({"default": gpus})}})


def rule(**given: str) -> AccessRule:
    spec = {"subject_id": "ada@example.com", "role_name": "Viewer", "scope_name": "vision", **given}
    return AccessRule(metadata=Metadata(name="ada"), spec=AccessRuleSpec(**spec))


def pool(name: str, label: str | None = "run.ai/type=h100") -> NodePool:
    key, _, value = (label or "").partition("=")
    return NodePool(metadata=Metadata(name=name), spec=NodePoolSpec(label_key=key or None, label_value=value or None))


def workload(where: str = "runai-vision", labels: dict[str, str] | None = None, **parameters: Any) -> TrainingWorkload:
    spec: dict[str, Any] = {
        name: value if isinstance(value, dict) else {"value": value} for name, value in parameters.items()
    }
    metadata = {"name": "train", "namespace": where, "labels": labels or {}}
    return TrainingWorkload.model_validate({"metadata": metadata, "spec": {"image": {"value": "ubuntu"}, **spec}})


def pod(
    where: str = "runai-vision",
    *,
    gpus: str | None = None,
    ours: bool = True,
    annotations: dict[str, str] | None = None,
) -> Pod:
    limits = {names.GPU_RESOURCE: gpus} if gpus else {}
    return Pod(
        metadata=CoreMetadata(name="notebook", namespace=where, annotations=annotations or {}),
        spec=PodSpec(
            scheduler_name=names.SCHEDULER_NAME if ours else "default-scheduler",
            containers=(Container(name="main", resources=Resources(limits=dict(limits))),),
        ),
    )


VISION = Cluster(
    projects=[project()],
    departments=[department("default", 100)],
    namespaces=[namespace("runai-vision", "vision"), namespace("elsewhere"), namespace("orphaned", "gone")],
)


def fields(verdict: Verdict) -> list[str]:
    return [refusal.field for refusal in verdict.refusals]


PICKY = Cluster(
    projects=[project(nodeAffinityTrain=["a100", "h100"], nodeAffinityInteractive=["t4"])],
    departments=[department("default", 100)],
    namespaces=[namespace("runai-vision", "vision")],
)
TYPES = {
    "TrainingWorkload": "a100, h100",
    "DistributedWorkload": "a100, h100",
    "InteractiveWorkload": "t4",
    "InferenceWorkload": None,
}


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_type_of_nodes_that_the_project_does_not_have_is_refused(kind: str) -> None:
    """cluster-api.md 3.2: `--node-type` may only pick from the project's list."""
    field = "spec.nodeType.value"

    def blamed(node_type: str) -> list[str]:
        given = of_kind.workload(kind, "w", namespace="runai-vision", spec={"nodeType": {"value": node_type}})
        return [str(each) for each in review(given, None, PICKY).refusals if each.field == field]

    allowed = TYPES[kind]
    said = f"{field}: 'v100' is not allowed: one of the node types of the project vision: {allowed}"
    assert blamed("v100") == ([] if allowed is None else [said])
    assert blamed((allowed or "v100").split(", ")[-1]) == []


def test_the_class_decides_which_types_of_nodes_a_workload_may_ask_for() -> None:
    assert "spec.nodeType.value" in fields(review(workload(nodeType="t4"), None, PICKY))
    build = workload(labels={"priorityClassName": "build"}, nodeType="t4")
    assert fields(review(build, None, PICKY)) == []


def test_the_department_bounds_types_of_nodes_in_the_pools_where_the_workload_may_run() -> None:
    queue = {**queues({"default": 100})[0], "nodeAffinityTrain": ["h100"]}
    bound = Department.model_validate({"metadata": {"name": "default"}, "spec": {"queues": [queue]}})
    known = replace(PICKY, departments=[bound])
    [refusal] = review(workload(nodeType="a100"), None, known).refusals
    assert str(refusal).endswith("one of the node types of the project vision: h100")
    assert review(workload(nodeType="a100", nodePools="other"), None, known).allowed


def test_a_workload_that_is_submitted_is_not_wrong_because_the_list_of_its_project_changes() -> None:
    given = workload(nodeType="v100")
    there = given.model_copy(update={"status": given.status.model_copy(update={"creation_status": "Submitted"})})
    assert not review(given, None, PICKY).allowed
    assert read_workload(there, PICKY, DEFAULTS)


REFUSED: dict[str, tuple[Reviewed, Cluster, list[str], str]] = {
    "everything that is wrong with a workload": (
        workload(gpu="1.5", memory="1Pi", parallelism=2, environment={"items": {"POD_UUID": {"value": "x"}}}),
        VISION,
        ["spec.environment.items[POD_UUID]", "spec.gpu.value", "spec.memory.value", "spec.parallelism.value"],
        "spec.gpu.value: '1.5' is not allowed: a whole number of GPUs",
    ),
    "a label on the workload itself": (
        workload(labels={"priorityClassName": "Not A Name"}),
        VISION,
        ["metadata.labels[priorityClassName]"],
        "the name of a PriorityClass",
    ),
    "a project in a namespace of the system": (
        project(namespace="kube-system"),
        Cluster(namespaces=[namespace("kube-system")]),
        ["spec.namespace"],
        "Namespace kube-system belongs to the system: choose another one in spec.namespace.",
    ),
    "a project whose usual namespace is the system's": (
        project("backend"),
        Cluster(),
        ["spec.namespace"],
        "Namespace runai-backend belongs to the system",
    ),
    "a node pool with the label of another": (
        pool("b"),
        Cluster(node_pools=[pool("c", "run.ai/type=a100"), pool("a")]),
        ["spec.labelValue"],
        "Node pool a has the label run.ai/type=h100 already",
    ),
    "a rule for nobody, of a role that there is not": (
        rule(subject_id="", role_name="King"),
        VISION,
        ["spec.subjectId", "spec.roleName"],
        "spec.roleName: 'King' is not allowed: one of the roles Viewer",
    ),
    "a pod with a fraction that is none": (
        pod(annotations={"gpu-fraction": "1.5"}),
        VISION,
        ["metadata.annotations"],
        "gpu-fraction is '1.5'",
    ),
    "a pod with a fraction and whole GPUs": (
        pod(gpus="1", annotations={"gpu-fraction": "0.5"}),
        VISION,
        ["metadata.annotations"],
        "not allowed together with whole GPUs",
    ),
    "a pod with one and a half GPUs": (pod(gpus="1.5"), VISION, ["spec.containers"], "nvidia.com/gpu is 1.5"),
}


@pytest.mark.parametrize(("given", "cluster", "blamed", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_all_at_once(given: Reviewed, cluster: Cluster, blamed: list[str], says: str) -> None:
    verdict = review(given, None, cluster)
    assert not verdict.allowed
    assert fields(verdict) == blamed
    assert says in verdict.message


TAKEN: dict[str, tuple[Reviewed, Cluster, list[str]]] = {
    "a workload of a project": (workload(gpu="8"), VISION, []),
    "a workload in a namespace of no project": (
        workload("elsewhere"),
        VISION,
        ["the namespace elsewhere belongs to no project"],
    ),
    "a workload in a namespace of a project that is gone": (
        workload("orphaned"),
        VISION,
        ["the project gone of the namespace orphaned does not exist"],
    ),
    "a workload in a namespace that nobody has heard of yet": (workload("new"), VISION, ["belongs to no project"]),
    "a project before its department, its pool and its namespace": (
        project(department="research", pool="h100", namespace="lab"),
        Cluster(),
        ["Namespace lab, which spec.namespace names, does not exist", "Department research", "No such node pool: h100"],
    ),
    "a project in another project's namespace": (
        project("language", namespace="runai-vision"),
        VISION,
        ["Namespace runai-vision is labelled for project vision"],
    ),
    "a project for which somebody labelled the system's": (
        project(),
        Cluster(namespaces=[namespace("runai", "vision")]),
        ["take runai/queue off this one"],
    ),
    "a project that is promised more than its department has": (
        project("language", gpus=6, department="research"),
        Cluster([project(department="research")], [department()], namespaces=[namespace("runai-language", "language")]),
        ["10 GPUs of 8 GPUs in default"],
    ),
    "a department that has less than its projects were promised": (
        department(gpus=3),
        Cluster([project(department="research")]),
        ["4 GPUs of 3 GPUs in default"],
    ),
    "a node pool without a label": (pool("a", None), Cluster(), ["labelKey and labelValue"]),
    "the pool default needs none": (pool("default", None), Cluster(), []),
    "a node pool with a label of its own": (pool("b"), Cluster(node_pools=[pool("a", "run.ai/type=a100")]), []),
    "a rule for a project": (rule(), VISION, []),
    "a rule before its project": (rule(), Cluster(), ["There is no project vision yet"]),
    "a rule before its department": (
        rule(scope_type="department", scope_name="research"),
        VISION,
        ["There is no department research yet"],
    ),
    "a pod with half a GPU": (pod(annotations={"gpu-fraction": "0.5"}), VISION, []),
    "a pod in a namespace of no project": (pod("elsewhere"), VISION, ["belongs to no project"]),
    "a pod that another scheduler places": (
        pod("elsewhere", ours=False, annotations={"gpu-fraction": "lots"}),
        VISION,
        [],
    ),
}


@pytest.mark.parametrize(("given", "cluster", "warned"), TAKEN.values(), ids=TAKEN)
def test_what_may_still_become_right_is_taken_with_a_warning(
    given: Reviewed, cluster: Cluster, warned: list[str]
) -> None:
    verdict = review(given, None, cluster)
    assert verdict.message == ""
    assert len(verdict.warnings) == len(warned), verdict.warnings
    for warning, says in zip(verdict.warnings, warned, strict=True):
        assert says in warning


def test_a_project_is_not_counted_twice_when_it_changes() -> None:
    before, after = project(department="research"), project(gpus=8, department="research")
    assert review(after, before, Cluster([before], [department()], namespaces=VISION.namespaces)).warnings == ()


CHANGES: dict[str, tuple[Reviewed, Reviewed, list[str]]] = {
    "suspended, though it asks for what is refused today": (
        workload(gpuLimit="0.8"),
        workload(gpuLimit="0.8", active=False),
        [],
    ),
    "mended in part": (workload(gpu="-1", memory="1Pi"), workload(gpu="-1"), []),
    "more pods than work": (workload(gpu="-1"), workload(gpu="-1", parallelism=2), ["spec.parallelism.value"]),
    "wrong in another way": (pool("a", "run.ai/type=a100"), pool("a", "run.ai/type=b"), ["spec.labelValue"]),
}


@pytest.mark.parametrize(("old", "new", "blamed"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_refused_for_what_it_makes_wrong(old: Reviewed, new: Reviewed, blamed: list[str]) -> None:
    cluster = Cluster(VISION.projects, namespaces=VISION.namespaces, node_pools=[pool("b", "run.ai/type=b")])
    assert fields(review(new, old, cluster)) == blamed


def test_a_workload_is_refused_in_the_words_of_the_reconciler() -> None:
    wrong = workload(gpu="lots", cpu="-1", nodePools="A b", image="x y")
    with pytest.raises(InvalidWorkload) as caught:
        effective(wrong, DEFAULTS)
    verdict = review(wrong, None, VISION)
    assert verdict.message == str(caught.value)
    assert [f"{refusal.field}: {refusal.beside_field}" for refusal in verdict.refusals] == list(
        map(str, caught.value.errors)
    )


def test_of_very_many_wrong_things_the_message_tells_some_and_how_many_more() -> None:
    items = {f"9{number}": {"value": "x"} for number in range(40)}
    verdict = review(workload(environment={"items": items}), None, VISION)
    assert len(verdict.refusals) == 40
    assert verdict.message.endswith("; and 15 more")


# Policies and templates


def policy(where: str = "runai-vision", **spec: Any) -> TrainingPolicy:
    return TrainingPolicy.model_validate({"metadata": {"name": "limits", "namespace": where}, "spec": spec})


def template(where: str = "runai-vision", **parameters: Any) -> TrainingWorkload:
    made = workload(where, **parameters)
    metadata = made.metadata.model_copy(update={"name": "defaults"})
    return made.model_copy(update={"metadata": metadata, "spec": made.spec.model_copy(update={"usage": "Template"})})


def in_vision(*policies: TrainingPolicy, templates: tuple[Workload, ...] = ()) -> Cluster:
    return Cluster(
        projects=[project()],
        namespaces=[namespace("runai-vision", "vision")],
        every_policy=policies,
        templates=templates,
    )


def based(**parameters: Any) -> TrainingWorkload:
    made = workload(**parameters)
    return made.model_copy(update={"spec": made.spec.model_copy(update={"base_workload": "defaults"})})


def test_everything_that_a_policy_forbids_is_told_at_once() -> None:
    known = in_vision(policy(gpu={"rules": {"max": "4"}}, backoffLimit={"rules": {"max": 2}}))
    verdict = review(workload(gpu="5", backoffLimit=3), None, known)
    assert verdict.message == "backoffLimit: must be no greater than 2; gpu: must be no greater than 4"
    assert review(workload(gpu="4", backoffLimit=2), None, known).allowed


def test_the_policy_of_the_namespace_takes_the_place_of_the_one_for_all() -> None:
    for_all = policy("runai", gpu={"rules": {"max": "1"}})
    assert review(workload(gpu="2"), None, in_vision(for_all)).message == "gpu: must be no greater than 1"
    assert review(workload(gpu="2"), None, in_vision(for_all, policy(gpu={"rules": {"max": "2"}}))).allowed


def test_a_submitted_workload_may_change_whatever_policies_say_now() -> None:
    known = in_vision(policy(gpu={"rules": {"max": "1"}}))
    old = workload(gpu="2")
    assert review(workload(gpu="2", active=False), old, known).allowed


def test_a_template_counts_and_need_not_be_complete() -> None:
    big = template(gpu="5", image={})
    assert review(big, None, in_vision()).allowed
    known = in_vision(policy(gpu={"rules": {"max": "3"}}), templates=(big,))
    assert review(based(), None, known).message == "gpu: must be no greater than 3"
    assert review(based(gpu="3"), None, known).allowed


def test_a_template_that_is_not_there_yet_is_a_warning() -> None:
    verdict = review(based(gpu="2.5"), None, in_vision())
    assert verdict.allowed
    assert verdict.warnings == ("spec.baseWorkload: no template defaults is there yet: it will wait for one",)


def test_a_policy_that_nobody_can_keep_is_refused() -> None:
    verdict = review(policy(gpu={"rules": {"max": "4"}, "value": "5"}), None, in_vision())
    assert verdict.message == "spec.gpu.value: '5' is not allowed: must be no greater than 4"


WITH_DOMAIN = replace(VISION, defaults=replace(DEFAULTS, domain="gpu.example.com"))
URL = "https://gpu.example.com/vision/board"


@pytest.mark.parametrize(
    ("url", "where", "known", "said"),
    [
        (None, "runai-vision", WITH_DOMAIN, ""),
        (URL, "runai-vision", WITH_DOMAIN, ""),
        (URL, "elsewhere", WITH_DOMAIN, ""),
        (URL, "runai-vision", VISION, "left out: this cluster has no domain for addresses from outside"),
        (None, "runai-vision", VISION, "left out: this cluster has no domain for addresses from outside"),
        (
            "https://gpu.example.com/speech/board",
            "runai-vision",
            WITH_DOMAIN,
            "an address that begins with https://gpu.example.com/vision/, with a name after that",
        ),
    ],
    ids=[
        "made from the names",
        "of the project",
        "in a namespace that is no project's yet",
        "without a domain",
        "made from the names, without a domain",
        "of another project",
    ],
)
def test_an_address_is_at_the_clusters_domain_below_its_project(
    url: str | None, where: str, known: Cluster, said: str
) -> None:
    value = {"containerPort": 80, **({"url": url} if url else {})}
    verdict = review(workload(where, exposedUrls={"items": {"a": {"value": value}}}), None, known)
    assert verdict.allowed is not bool(said)
    assert said in verdict.message


def test_a_port_at_an_address_needs_a_domain() -> None:
    ports = {"items": {"a": {"value": {"container": 80, "serviceType": "external-url"}}}}
    verdict = review(workload(ports=ports), None, VISION)
    assert fields(verdict) == ["spec.ports.items[a].value.serviceType"]
    assert "this cluster has no domain" in verdict.message
    assert review(workload(ports=ports), None, WITH_DOMAIN).allowed


# All kinds


@pytest.mark.parametrize("kind", WORKLOADS)
def test_workloads_of_every_kind_are_judged_by_their_own_template_and_policy(kind: str) -> None:
    known = Cluster(
        projects=[project()],
        namespaces=[namespace("runai-vision", "vision")],
        every_policy=[
            of_kind.policy(each, {"gpu": {"rules": {"max": "2" if each == kind else "0"}}}, namespace="runai-vision")
            for each in WORKLOADS
        ],
        templates=[of_kind.workload(kind, "defaults", namespace="runai-vision", spec={"usage": "Template"})],
    )
    given = of_kind.workload(
        kind, namespace="runai-vision", spec={"gpu": {"value": "3"}, "cpu": {"value": "x"}, "baseWorkload": "defaults"}
    )
    verdict = review(given, None, known)
    assert {"gpu", "spec.cpu.value", "spec.image.value"} <= {*fields(verdict)}
    assert "gpu: must be no greater than 2" in map(str, verdict.refusals)
    with pytest.raises(InvalidWorkload) as caught:
        read_workload(given, known, DEFAULTS)
    assert verdict.message == str(caught.value), "the status has the same words"
    assert review(known.templates[0], None, known).allowed


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_template_of_another_kind_is_named(kind: str) -> None:
    other = next(each for each in WORKLOADS if each != kind)
    known = in_vision(templates=(of_kind.workload(other, "defaults", namespace="runai-vision"),))
    given = of_kind.workload(kind, namespace="runai-vision", spec={"baseWorkload": "defaults"})
    [warning] = review(given, None, known).warnings
    assert "no template defaults is there yet" in warning
    assert re.search(f"; defaults is an? {other}$", warning)


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_policy_of_any_kind_that_nobody_can_keep_is_refused(kind: str) -> None:
    made = of_kind.policy(kind, {"memory": {"rules": {"min": "2Gi", "max": "1G"}}, "image": {"rules": {}}})
    assert fields(review(made, None, in_vision())) == ["spec.memory.rules"]
    assert review(of_kind.policy(kind, {"memory": {"rules": {"min": "1G"}}}), None, in_vision()).allowed


@pytest.mark.parametrize(
    ("kind", "spec", "serves_mpi", "warned"),
    [
        ("DistributedWorkload", {"jobType": "MPIJob"}, False, True),
        ("DistributedWorkload", {"jobType": "MPIJob"}, True, False),
        ("DistributedWorkload", {"jobType": "TFJob"}, False, False),
        ("TrainingWorkload", {"mpi": {"value": True}}, False, True),
        ("TrainingWorkload", {"mpi": {"value": True}}, True, False),
        ("TrainingWorkload", {"mpi": {"value": False}}, False, False),
    ],
)
def test_a_workload_that_nothing_carries_out_is_warned_of(
    kind: str, spec: dict[str, Any], serves_mpi: bool, warned: bool
) -> None:
    known = replace(VISION, serves_mpi=serves_mpi)
    given = of_kind.workload(kind, namespace="runai-vision", spec={"image": {"value": "x"}, **spec})
    verdict = review(given, None, known)
    assert verdict.allowed
    assert [each for each in verdict.warnings if "install the MPI Operator" not in each] == []
    assert bool(verdict.warnings) is warned
