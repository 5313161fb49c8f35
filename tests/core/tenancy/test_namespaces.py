"""The namespace of a project."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.tenancy import Project, ProjectSpec, ProjectStatus
from aliquot.contracts.kubernetes import Namespace, NamespaceStatus
from aliquot.core.tenancy import NamespacePlan, namespace_name, namespace_plan

LABELS = {names.QUEUE_LABEL: "vision", names.NAMESPACE_VERSION_LABEL: "v2"}
MADE = {**LABELS, names.MANAGED_BY_LABEL: "aliquot"}


def project(name: str = "vision", namespace: str | None = None, before: str | None = None) -> Project:
    return Project(
        metadata=Metadata(name=name), spec=ProjectSpec(namespace=namespace), status=ProjectStatus(namespace=before)
    )


def namespace(
    name: str, labels: dict[str, str] | None = None, *, going: bool = False, created: str = "2024-05-01T00:00:00Z"
) -> Namespace:
    return Namespace(
        metadata=kubernetes.Metadata(name=name, labels=labels or {}, creation_timestamp=created),
        status=NamespaceStatus(phase="Terminating" if going else "Active"),
    )


def planned(project: Project, *there: Namespace) -> NamespacePlan:
    """Plan in a cluster that has these namespaces, as a reconciler would."""
    labelled = [each for each in there if each.metadata.labels.get(names.QUEUE_LABEL) == project.metadata.name]
    own = next((each for each in there if each.metadata.name == namespace_name(project)), None)
    return namespace_plan(project, labelled, own)


DOABLE: dict[str, tuple[NamespacePlan, NamespacePlan]] = {
    "a new project gets one": (planned(project()), NamespacePlan("runai-vision", create=True, labels=MADE)),
    "one that was made stays as it is": (
        planned(project(), namespace("runai-vision", MADE)),
        NamespacePlan("runai-vision"),
    ),
    "a label that was lost comes back, with all others": (
        planned(project(), namespace("runai-vision", {k: v for k, v in MADE.items() if k != names.QUEUE_LABEL})),
        NamespacePlan("runai-vision", labels=MADE),
    ),
    "one of that name that somebody made is taken": (
        planned(project(), namespace("runai-vision", {"team": "vision"})),
        NamespacePlan("runai-vision", labels=LABELS),
    ),
    "one that is labelled for the project is its own (S12)": (
        planned(project(), namespace("vision-lab", {names.QUEUE_LABEL: "vision"})),
        NamespacePlan("vision-lab", labels=LABELS),
    ),
    "also beside an empty one of the usual name": (
        planned(project(), namespace("vision-lab", LABELS), namespace("runai-vision")),
        NamespacePlan("vision-lab"),
    ),
    "of several labelled ones, the usual name": (
        planned(project(), namespace("a", LABELS), namespace("runai-vision", LABELS)),
        NamespacePlan("runai-vision", others=("a",)),
    ),
    "but a project never moves": (
        planned(project(before="a"), namespace("a", LABELS), namespace("runai-vision", LABELS)),
        NamespacePlan("a", others=("runai-vision",)),
    ),
    "unless its namespace is going": (
        planned(project(before="a"), namespace("a", LABELS, going=True), namespace("b", LABELS)),
        NamespacePlan("b", others=("a",)),
    ),
    "of strange ones, the oldest": (
        planned(project(), namespace("a", LABELS, created="2024-06-01T00:00:00Z"), namespace("b", LABELS)),
        NamespacePlan("b", others=("a",)),
    ),
    "the one it names is labelled": (
        planned(project(namespace="lab"), namespace("lab")),
        NamespacePlan("lab", labels=LABELS),
    ),
    "the one it names wins over one with the label": (
        planned(project(namespace="lab"), namespace("lab", LABELS), namespace("old", LABELS)),
        NamespacePlan("lab", others=("old",)),
    ),
    "other labels do not matter": (
        planned(project(), namespace("runai-vision", {**MADE, "team": "vision"})),
        NamespacePlan("runai-vision"),
    ),
}


@pytest.mark.parametrize(("plan", "wanted"), DOABLE.values(), ids=DOABLE)
def test_plan(plan: NamespacePlan, wanted: NamespacePlan) -> None:
    assert plan == wanted


OTHERS = {names.QUEUE_LABEL: "language"}

PROBLEMS: dict[str, tuple[NamespacePlan, str, str]] = {
    "the one it names does not exist": (planned(project(namespace="lab")), "NamespaceMissing", "lab"),
    "another label does not replace the one it names": (
        planned(project(namespace="lab"), namespace("x", LABELS)),
        "NamespaceMissing",
        "lab",
    ),
    "the one it names is another project's": (
        planned(project(namespace="lab"), namespace("lab", OTHERS)),
        "NamespaceTaken",
        "language",
    ),
    "the usual one is another project's": (
        planned(project(), namespace("runai-vision", OTHERS)),
        "NamespaceTaken",
        "language",
    ),
    "it is going away": (
        planned(project(), namespace("runai-vision", MADE, going=True)),
        "NamespaceTerminating",
        "runai-vision",
    ),
    "the only labelled one is going away": (
        planned(project(), namespace("lab", LABELS, going=True)),
        "NamespaceTerminating",
        "lab",
    ),
    "the one it names is the system's": (
        planned(project(namespace="kube-system"), namespace("kube-system")),
        "NamespaceReserved",
        "kube-system",
    ),
    "the usual one would be the system's": (planned(project("reservation")), "NamespaceReserved", "runai-reservation"),
    "somebody labelled the system's": (
        planned(project(), namespace("runai", LABELS)),
        "NamespaceReserved",
        names.QUEUE_LABEL,
    ),
}


@pytest.mark.parametrize(("plan", "code", "named"), PROBLEMS.values(), ids=PROBLEMS)
def test_problem(plan: NamespacePlan, code: str, named: str) -> None:
    assert plan.problem is not None
    assert plan.problem.code == code
    assert named in plan.problem.message
    assert (plan.create, dict(plan.labels)) == (False, {})


PROJECTS = st.sampled_from(["vision", "language", "reservation"])
PLACES = st.sampled_from(["runai-vision", "runai-language", "lab", "kube-system"])
SOME_LABELS = st.fixed_dictionaries(
    {}, optional={names.QUEUE_LABEL: PROJECTS, names.NAMESPACE_VERSION_LABEL: st.just("v2")}
)


@given(
    wanted=st.builds(project, PROJECTS, st.none() | PLACES, st.none() | PLACES),
    there=st.dictionaries(PLACES, st.tuples(SOME_LABELS, st.booleans())),
)
def test_carried_out_once_nothing_is_left_to_do_and_no_label_of_another_project_changes(
    wanted: Project, there: dict[str, tuple[dict[str, str], bool]]
) -> None:
    cluster = {name: namespace(name, labels, going=going) for name, (labels, going) in there.items()}
    plan = planned(wanted, *cluster.values())
    if plan.problem:
        assert not plan.create
        assert not plan.labels
        return
    assert plan.create == (plan.name not in cluster)
    held = cluster[plan.name].metadata.labels if plan.name in cluster else {}
    assert held.get(names.QUEUE_LABEL, wanted.metadata.name) == wanted.metadata.name
    cluster[plan.name] = namespace(plan.name, {**held, **plan.labels})
    again = planned(wanted, *cluster.values())
    assert again == NamespacePlan(plan.name, others=plan.others)


@pytest.mark.parametrize(
    ("there", "name", "code", "said"),
    [
        (
            (),
            "runai-vision",
            "NamespaceMissing",
            "kubectl create namespace runai-vision; kubectl label namespace runai-",
        ),
        (
            (namespace("runai-vision", {"team": "vision"}),),
            "runai-vision",
            "NamespaceNotLabelled",
            "kubectl label namespace runai-vision runai/queue=vision",
        ),
        ((namespace("lab", {names.QUEUE_LABEL: "vision"}),), "lab", None, ""),
        ((namespace("runai-vision", {names.QUEUE_LABEL: "speech"}),), "runai-vision", "NamespaceTaken", "speech"),
    ],
)
def test_namespaces_that_administrators_own_are_neither_made_nor_labelled(
    there: tuple[Namespace, ...], name: str, code: str | None, said: str
) -> None:
    labelled = [each for each in there if each.metadata.labels.get(names.QUEUE_LABEL) == "vision"]
    own = next((each for each in there if each.metadata.name == "runai-vision"), None)
    plan = namespace_plan(project(), labelled, own, is_ours_to_make=False)
    assert (plan.name, plan.create, dict(plan.labels)) == (name, False, {})
    assert (plan.problem.code if plan.problem else None) == code
    assert said in (plan.problem.message if plan.problem else "")
