"""What was made beside a workload's pods and is looked at again: left as it is, put back, or somebody else's."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from aliquot.contracts.kubernetes import ObjectBeside
from aliquot.core.rendering import Standing, as_taken, mended, objects_beside, standing
from aliquot.core.submission import UserCheck
from aliquot.core.submission.pod_values import Port, Url
from aliquot.core.submission.volume_values import Claim, NewClaim, Storage
from tests.core.rendering.test_rendering_properties import CONTEXT, OWNER, a_pod

Change = Callable[[dict[str, Any]], object]

NETWORK = a_pod(ports=(Port(container=80, external=30080, service_type="NodePort"),), urls=(Url(8888),))
CLAIMS = Storage(
    claims=tuple(
        Claim(name=name, path=f"/{name}", new=NewClaim(size_bytes=2**30, ephemeral=name == "scratch"))
        for name in ("data", "scratch")
    )
)
DATA, SCRATCH, SERVICE, _, INGRESS = objects_beside(dataclasses.replace(NETWORK, storage=CLAIMS), CONTEXT)
CHECK = UserCheck("http://auth/?users={users}", None, "nginx.ingress.kubernetes.io")
[_, FOR_ANN] = objects_beside(a_pod(urls=(Url(80, users=("ann",)),)), dataclasses.replace(CONTEXT, user_check=CHECK))


def stored(manifest: dict[str, object], *changes: Change) -> dict[str, Any]:
    """The object as the API server has it: with what it adds by itself."""
    found = copy.deepcopy(cast("dict[str, Any]", manifest))
    found["metadata"] |= {"uid": "1", "resourceVersion": "7"}
    if found["kind"] == "Service":
        found["spec"] |= {"clusterIP": "10.0.0.9", "sessionAffinity": "None"}
        found["spec"]["ports"][0]["appProtocol"] = "http"
    for change in changes:
        change(found)
    return found


def stands(manifest: dict[str, object], found: dict[str, Any]) -> Standing:
    return standing(manifest, msgspec.convert(found, ObjectBeside), OWNER)


def of_another(found: dict[str, Any]) -> None:
    found["metadata"]["ownerReferences"] = [
        {"kind": "TrainingWorkload", "name": "other", "uid": "2", "controller": True}
    ]


def of_nobody(found: dict[str, Any]) -> None:
    found["metadata"].pop("ownerReferences", None)


def going(found: dict[str, Any]) -> None:
    found["metadata"]["deletionTimestamp"] = "2026-11-01T00:00:00Z"


def of(member: str, value: object) -> Change:
    return lambda found: found["spec"].update({member: value})


def without_labels(found: dict[str, Any]) -> None:
    del found["metadata"]["labels"]


def labelled_more(found: dict[str, Any]) -> None:
    found["metadata"]["labels"]["team"] = "vision"


def annotated(value: str | None, **more: str) -> Change:
    """Its annotation that says who may open it is changed, or goes."""
    name = "nginx.ingress.kubernetes.io/auth-url"
    return lambda found: found["metadata"].update(annotations={**({} if value is None else {name: value}), **more})


SEEN: list[tuple[str, dict[str, object], tuple[Change, ...], Standing]] = [
    ("a service as it was made", SERVICE, (), Standing.SOUND),
    ("an ingress as it was made", INGRESS, (), Standing.SOUND),
    ("a label more does no harm", SERVICE, (labelled_more,), Standing.SOUND),
    ("a label less", SERVICE, (without_labels,), Standing.CHANGED),
    ("another type", SERVICE, (of("type", "ClusterIP"),), Standing.CHANGED),
    ("no port", SERVICE, (of("ports", []),), Standing.CHANGED),
    ("no ports at all", SERVICE, (of("ports", None),), Standing.CHANGED),
    ("another selector", SERVICE, (lambda found: found["spec"]["selector"].update(a="b"),), Standing.CHANGED),
    ("another rule", INGRESS, (of("rules", [{"host": "elsewhere"}]),), Standing.CHANGED),
    ("an annotation more does no harm", INGRESS, (annotated(None, seen="yes"),), Standing.SOUND),
    ("an address for some users", FOR_ANN, (annotated("http://auth/?users=ann", seen="yes"),), Standing.SOUND),
    ("an address that was opened to others", FOR_ANN, (annotated("http://auth/?users=ann,eve"),), Standing.CHANGED),
    ("an address that was opened to everyone", FOR_ANN, (annotated(None),), Standing.CHANGED),
    ("another's service", SERVICE, (of_another,), Standing.TAKEN),
    ("nobody's service", SERVICE, (of_nobody,), Standing.TAKEN),
    ("a service that is going", SERVICE, (going,), Standing.GOING),
    ("another's service that is going", SERVICE, (of_another, going), Standing.TAKEN),
    ("a claim that was there before", DATA, (without_labels, of("resources", {})), Standing.SOUND),
    ("a claim of the workload", SCRATCH, (), Standing.SOUND),
    ("a claim that stays although one that goes was asked for", SCRATCH, (of_nobody,), Standing.SOUND),
    ("a claim that goes with another", DATA, (of_another,), Standing.TAKEN),
    ("a claim that is going", DATA, (going,), Standing.GOING),
]


@pytest.mark.parametrize(("manifest", "changes", "says"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_what_is_found_stands_so(manifest: dict[str, object], changes: tuple[Change, ...], says: Standing) -> None:
    assert stands(manifest, stored(manifest, *changes)) is says


@pytest.mark.parametrize(
    ("manifest", "changes"),
    [row[1:3] for row in SEEN if row[3] is Standing.CHANGED],
    ids=[row[0] for row in SEEN if row[3] is Standing.CHANGED],
)
def test_what_was_changed_is_as_it_was_once_it_is_mended(
    manifest: dict[str, object], changes: tuple[Change, ...]
) -> None:
    found = stored(manifest, *changes)
    before = copy.deepcopy(found)
    whole = cast("dict[str, Any]", mended(manifest, found))
    assert stands(manifest, whole) is Standing.SOUND
    assert found == before
    assert whole["metadata"]["resourceVersion"] == "7", "somebody else's change meanwhile is not overwritten"
    assert whole["spec"].keys() >= found["spec"].keys(), "what the API server added stays"


def test_mending_leaves_what_others_have_added() -> None:
    whole = cast("dict[str, Any]", mended(SERVICE, stored(SERVICE, labelled_more, of("type", "ClusterIP"))))
    assert whole["metadata"]["labels"]["team"] == "vision"
    assert whole["spec"]["clusterIP"] == "10.0.0.9"


DEPLOYMENT: dict[str, object] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "chat", "labels": CONTEXT.mark(), "ownerReferences": [OWNER.reference()]},
    "spec": {
        "selector": {"matchLabels": {"app": "chat"}},
        "template": {"containers": [{"name": "chat", "env": [{"name": "EMPTY", "value": ""}], "cpu": "1000m"}]},
    },
}


def unchanged(_: dict[str, Any]) -> None:
    """Nobody has touched it."""


def in_its_own_words(found: dict[str, Any]) -> None:
    [container] = found["spec"]["template"]["containers"]
    del container["env"][0]["value"]
    container |= {"cpu": "1", "terminationMessagePath": "/dev/termination-log"}


def of_the_container(member: str, value: object) -> Change:
    return lambda found: found["spec"]["template"]["containers"][0].update({member: value})


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (unchanged, Standing.SOUND),
        (of_the_container("terminationMessagePath", "/elsewhere"), Standing.SOUND),
        (of_the_container("cpu", "2"), Standing.CHANGED),
        (of_the_container("name", "other"), Standing.CHANGED),
        (of("selector", {"matchLabels": {"app": "other"}}), Standing.CHANGED),
    ],
)
def test_what_the_api_server_wrote_otherwise_is_no_change(change: Change, wanted: Standing) -> None:
    answered = stored(DEPLOYMENT, in_its_own_words)
    assert stands(DEPLOYMENT, answered) is Standing.CHANGED
    taken = as_taken(DEPLOYMENT, msgspec.convert(answered, ObjectBeside))
    change(later := copy.deepcopy(answered))
    assert stands(taken, later) is wanted
