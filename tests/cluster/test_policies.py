"""Policies and templates on a real API server (cluster-api.md 1.6, 4; S14, S15, S18, S20, S21, S25, S29)."""

from typing import Any

import pytest

from tests.support.arena import DURATION, WORKLOADS, Arena

pytestmark = pytest.mark.cluster


KINDS = ("Training", "Interactive", "Inference", "Distributed")


def policy(arena: Arena, namespace: str, name: str = "policy", /, of: str = "Training", **spec: Any) -> str:
    """Make a policy for training workloads, or those of another kind; returns its path."""
    path = f"{WORKLOADS}/namespaces/{namespace}/{of.lower()}policies"
    manifest = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": f"{of}Policy",
        "metadata": {"name": name},
        "spec": spec,
    }
    arena.make(path, manifest)
    return f"{path}/{name}"


def template(arena: Arena, namespace: str, name: str, **spec: Any) -> str:
    """Make a template; returns its path."""
    path = f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads"
    manifest = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "TrainingWorkload",
        "metadata": {"name": name},
        "spec": {"usage": "Template", **spec},
    }
    arena.make(path, manifest)
    return f"{path}/{name}"


def ready(arena: Arena, path: str, reason: str) -> dict[str, Any]:
    """Wait until a policy says so of itself; returns the condition."""
    found: dict[str, Any] = {}

    def there() -> bool:
        nonlocal found
        conditions: list[dict[str, Any]] = arena.get(path).get("status", {}).get("conditions", [])
        found = {key: value for each in conditions if each["type"] == "Ready" for key, value in each.items()}
        return found.get("reason") == reason

    arena.until(there, f"{path} to be {reason}")
    return found


def test_s20_bounds_and_defaults_of_a_policy(arena: Arena) -> None:
    arena.nodes(1)
    held, free = arena.project("held", deserved=8), arena.project("free", deserved=8)
    path = policy(arena, held, gpu={"rules": {"required": True, "min": "1", "max": "4"}, "value": "2"})
    ready(arena, path, "InForce")
    arena.submit(held, "too-many", gpu="5")
    refused = arena.until_reason(held, "too-many", "InvalidSpec")
    assert refused["phaseMessage"] == "gpu: must be no greater than 4"
    assert refused["creationStatus"] == "Failed"
    assert not arena.pods(held, "too-many")
    arena.submit(free, "elsewhere", gpu="5", duration="100ms")
    arena.until_phase(free, "elsewhere", "Completed")
    arena.submit(held, "by-default", gpu=None, duration="100ms")
    done = arena.until_phase(held, "by-default", "Completed")
    assert done["inherited"] == {
        "policy": f"{held}/policy",
        "values": {"gpu": {"value": "2"}},
        "origins": {"gpu": "policy"},
    }
    pod = arena.only_pod(held, "by-default")
    assert pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "2"


def test_a_policy_concerns_later_submissions_only(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "before", gpu="2")
    arena.until_phase(namespace, "before", "Running")
    path = policy(arena, namespace, gpu={"rules": {"max": "1"}})
    ready(arena, path, "InForce")
    arena.submit(namespace, "after", gpu="2")
    arena.until_reason(namespace, "after", "InvalidSpec")
    assert arena.status(namespace, "before")["phase"] == "Running"
    arena.patch(path, {"spec": {"gpu": {"rules": {"max": "2"}}}})
    arena.until_phase(namespace, "after", "Running")


def test_s14_s15_a_template_creates_nothing_and_gives_values(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    path = template(
        arena,
        namespace,
        "defaults",
        image={"value": "registry.example.com/theirs:2"},
        gpu={"value": "2"},
        environment={"items": {"A": {"value": "1"}, "B": {"value": "2"}}},
        annotations={"items": {DURATION: {"value": "100ms"}}},
    )
    items = {"B": {"deleted": True}, "C": {"value": "3"}}
    arena.submit(namespace, "mine", gpu="1", image=None, environment={"items": items}, base="defaults")
    done = arena.until_phase(namespace, "mine", "Completed")
    assert done["inherited"]["template"] == f"{namespace}/defaults"
    assert done["inherited"]["origins"]["image"] == "template"
    pod = arena.only_pod(namespace)
    container = pod["spec"]["containers"][0]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert container["image"] == "registry.example.com/theirs:2"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert (variables["A"], variables["C"], "B" in variables) == ("1", "3", False)
    assert "phase" not in arena.get(path).get("status", {}), "a template is no work"


def test_a_workload_waits_for_its_template_and_keeps_what_it_took(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "mine", gpu=None, base="late")
    missing = arena.until_reason(namespace, "mine", "InvalidSpec")
    assert missing["phaseMessage"] == (
        "spec.baseWorkload: 'late' is not allowed: the name of a TrainingWorkload in the namespace "
        f"{namespace} or runai"
    )
    path = template(arena, namespace, "late", gpu={"value": "3"})
    arena.until_phase(namespace, "mine", "Running")
    arena.delete(path)
    pod = arena.only_pod(namespace, "mine")
    arena.delete(f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")
    another = arena.only_pod(namespace, "mine", but={pod["metadata"]["uid"]})
    assert another["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "3"


def test_a_base_that_does_not_do_is_named_until_there_is_a_right_one(arena: Arena) -> None:
    """One of another kind; one that is based on another itself; and itself, in a circle."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    path = f"{WORKLOADS}/namespaces/{namespace}/interactiveworkloads"
    other = {"apiVersion": "run.ai/v2alpha1", "kind": "InteractiveWorkload", "metadata": {"name": "base"}}
    arena.make(path, {**other, "spec": {"usage": "Template", "gpu": {"value": "1"}}})
    arena.submit(namespace, "mine", gpu=None, base="base")
    told = arena.until_reason(namespace, "mine", "InvalidSpec")["phaseMessage"]
    assert told.startswith("spec.baseWorkload: 'base' is not allowed: the name of a TrainingWorkload")
    chained = "a workload that has no baseWorkload itself"
    for name, base in (("another", "mine"), ("circle", "circle")):
        arena.submit(namespace, name, gpu=None, base=base)
        told = arena.until_reason(namespace, name, "InvalidSpec")["phaseMessage"]
        assert told == f"spec.baseWorkload: {base!r} is not allowed: {chained}"
    template(arena, namespace, "base", gpu={"value": "2"})
    taken = arena.until_phase(namespace, "mine", "Running")["inherited"]
    assert taken["values"]["gpu"] == {"value": "2"}


def test_s23_defaults_for_all_items(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    rules = {
        "itemRules": {"existingPvc": {"canEdit": False}, "claimName": {"required": True}},
        "items": {"DEFAULTS": {"value": {"existingPvc": True, "path": "nil"}}},
    }
    ready(arena, policy(arena, namespace, pvcs=rules), "InForce")
    claims = {"items": {"a": {"value": {"path": "/a"}}, "b": {"value": {"path": "/b", "existingPvc": False}}}}
    arena.submit(namespace, "wrong", pvcs=claims)
    told = arena.until_reason(namespace, "wrong", "InvalidSpec")["phaseMessage"]
    assert told.startswith(
        "pvcs[a].claimName: must be given; pvcs[b].claimName: must be given; "
        "pvcs[b].existingPvc: must be left as the policy has it: true; "
    )
    size = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5Gi"}}}
    sets = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "sets"}, "spec": size}
    arena.make(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", sets)
    arena.submit(namespace, "right", pvcs={"items": {"a": {"value": {"path": "/a", "claimName": "sets"}}}})
    pod = arena.only_pod(namespace, "right")
    mounted = [each["persistentVolumeClaim"] for each in pod["spec"]["volumes"] if "persistentVolumeClaim" in each]
    assert [claim["claimName"] for claim in mounted] == ["sets"]


def test_s18_a_template_that_the_policy_forbids(arena: Arena) -> None:
    namespace = arena.project("a", deserved=8)
    template(arena, namespace, "big", gpu={"value": "5"})
    ready(arena, policy(arena, namespace, gpu={"rules": {"max": "3"}}), "InForce")
    arena.submit(namespace, "mine", gpu=None, base="big")
    assert arena.until_reason(namespace, "mine", "InvalidSpec")["phaseMessage"] == "gpu: must be no greater than 3"


def test_s21_a_value_that_users_may_not_change(arena: Arena) -> None:
    namespace = arena.project("a", deserved=8)
    ready(arena, policy(arena, namespace, backoffLimit={"rules": {"canEdit": False}, "value": 0}), "InForce")
    arena.submit(namespace, "mine", backoffLimit=3)
    status = arena.until_reason(namespace, "mine", "InvalidSpec")
    assert status["phaseMessage"] == "backoffLimit: must be left as the policy has it: 0"


def test_who_is_refused_takes_what_its_template_says_when_it_is_mended(arena: Arena) -> None:
    """Whatever it is refused for: nothing is kept of what it would have taken."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    path = template(arena, namespace, "defaults", gpu={"value": "2"}, cpu={"value": "300000"})
    ready(arena, policy(arena, namespace, gpu={"rules": {"max": "1"}}), "InForce")
    arena.submit(namespace, "mine", gpu=None, base="defaults")
    refused = arena.until_reason(namespace, "mine", "InvalidSpec")
    assert refused["phaseMessage"].startswith("gpu: must be no greater than 1; spec.cpu.value: '300000' is not allowed")
    assert "inherited" not in refused
    arena.patch(path, {"spec": {"gpu": {"value": "1"}}})
    arena.until(
        lambda: "gpu" not in arena.status(namespace, "mine")["phaseMessage"].partition(":")[0], "it to be mended"
    )
    arena.patch(path, {"spec": {"cpu": {"value": "1"}}})
    assert arena.until_phase(namespace, "mine", "Running")["inherited"]["values"]["cpu"] == {"value": "1"}


def test_s29_policies_of_every_kind_are_listed_with_their_names_and_ages(arena: Arena) -> None:
    namespace = arena.project("a", deserved=8)
    for kind in KINDS:
        ready(arena, policy(arena, namespace, "limits", of=kind, gpu={"rules": {"max": "1"}}), "InForce")
        table = arena.lab.kubectl("get", f"{kind.lower()}policies", "-n", namespace).split()
        assert table[:3] == ["NAME", "AGE", "limits"], "they do not count as each other's siblings"


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_says_whether_it_holds(arena: Arena, kind: str) -> None:
    namespace = arena.project("a", deserved=8)
    first = policy(arena, namespace, "first", of=kind, gpu={"rules": {"min": "4", "max": "1"}})
    told = ready(arena, first, "Unfulfillable")
    assert (told["status"], "min must be no greater than max" in told["message"]) == ("False", True)
    second = policy(arena, namespace, "second", of=kind, gpu={"rules": {"max": "1"}})
    assert "first" in ready(arena, second, "NotInForce")["message"]
    arena.patch(first, {"spec": {"gpu": {"rules": {"min": "1", "max": "1"}}}})
    ready(arena, first, "InForce")
    arena.delete(first)
    ready(arena, second, "InForce")
