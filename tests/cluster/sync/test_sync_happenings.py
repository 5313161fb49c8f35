"""Events on their way to the control plane: whose they are, how much of them is told, and when they are forgotten."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from aliquot.clock import timestamp
from aliquot.cluster.sync.happenings import MOST_OF_ONE, REPEAT_SECONDS, Happenings
from aliquot.cluster.sync.kin import Kin
from aliquot.contracts.kubernetes import Event, OwnerReference
from aliquot.core.intake.group_table import OwnerKey, OwnerObject
from aliquot.kube.discovery import KindName
from tests.agent.manual_clock import ManualClock

NAMESPACE = "runai-team-a"
START = ManualClock().now()
KUBELET: dict[str, Any] = {"deprecatedSource": {"component": "kubelet", "host": "n1"}}
OURS: dict[str, Any] = {"reportingController": "aliquot.dev/operator"}


class World:
    """The workload w1 of the namespace with its pod p1, whatever else a test adds, and the books of a session."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.owned: dict[tuple[str, str], tuple[str, OwnerReference]] = {}
        self.kin = Kin(self, self)
        self.kin.workload_is_in("w1", NAMESPACE)
        self.kin.pods["p1"] = "w1"
        self.gone: set[str] = set()
        self.changed: dict[str, None] = {}
        self.happenings = Happenings(
            self.kin.about,
            lambda namespace: namespace == NAMESPACE,
            lambda event: event.regarding.uid in self.gone,
            lambda uid: self.changed.update({uid: None}),
            self.clock,
        )

    def find(self, key: OwnerKey) -> OwnerObject | None:
        return None

    def holder(self, kind: KindName, namespace: str, name: str, uid: str) -> OwnerReference | None:
        found = self.owned.get((kind[1], name))
        return found[1] if found is not None and found[0] == uid else None

    def say(self, uid: str, about: str = "p1", *, count: int = 1, namespace: str = NAMESPACE, **parts: Any) -> None:
        metadata = {"name": uid, "namespace": namespace, "uid": uid}
        regarding = {"kind": "Pod", "namespace": namespace, "name": about, "uid": about, **parts.pop("regarding", {})}
        said = {"type": "Normal", "reason": "Pulled", "note": "it was pulled", "deprecatedCount": count, **KUBELET}
        at = {"deprecatedLastTimestamp": timestamp(parts.pop("at", self.clock.now()))}
        self.happenings.heard(
            msgspec.convert({"metadata": metadata, "regarding": regarding, **said, **at, **parts}, Event)
        )

    def told(self) -> list[tuple[str, str | None, int]]:
        """What a report would tell now, as uid, workload and count; it is taken."""
        found: list[tuple[str, str | None, int]] = []
        while changed := list(self.changed):
            self.changed.clear()
            for uid in changed:
                said = self.happenings.look(uid)
                if said is not None:
                    found.append((uid, said.workload, said.count))
                    self.happenings.taken(uid)
        return found

    def later(self, seconds: float) -> list[tuple[str, str | None, int]]:
        self.clock.seconds += seconds
        self.happenings.sweep()
        return self.told()


@pytest.fixture
def world() -> World:
    return World()


def names(told: Iterable[tuple[str, str | None, int]]) -> list[str]:
    return [uid for uid, _, _ in told]


def test_what_is_said_of_a_workload_and_its_pods_is_told_once_and_forgotten(world: World) -> None:
    world.say("e1", "w1", **OURS)
    world.say("e2")
    assert world.told() == [("e1", "w1", 1), ("e2", "w1", 1)]
    assert len(world.happenings) == 0
    world.say("e2")
    assert world.told() == [], "a list that had to be repeated says everything once more"


def test_an_event_says_who_speaks_when_last_and_how_often(world: World) -> None:
    world.say("e1", count=3, at=START - 60)
    said = world.happenings.look("e1")
    assert said is not None
    assert (said.source, said.count, said.created_at.timestamp()) == ("kubelet", 3, START - 60)
    assert (said.involved_kind, said.involved_uid, said.involved_namespace) == ("Pod", "p1", NAMESPACE)
    world.say("e2", count=0, series={"count": 7, "lastObservedTime": timestamp(START - 5)}, reportingController="x")
    said = world.happenings.look("e2")
    assert said is not None
    assert (said.source, said.count, said.created_at.timestamp()) == ("x", 7, START - 5)


def test_what_belongs_to_a_workload_counts_for_it_and_only_in_its_own_namespace(world: World) -> None:
    workload = OwnerReference(kind="InferenceWorkload", api_version="run.ai/v2alpha1", name="w1", uid="w1")
    deployment = OwnerReference(kind="Deployment", api_version="apps/v1", name="d", uid="d1")
    world.owned = {("Deployment", "d"): ("d1", workload), ("ReplicaSet", "r"): ("r1", deployment)}
    world.say("of-a-replica-set", "r1", regarding={"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "r"})
    world.say("of-an-earlier-one", "r0", regarding={"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "r"})
    world.say("forged", "w1", namespace="elsewhere")
    assert world.told() == [("of-a-replica-set", "w1", 1)]


def test_a_circle_of_owners_ends(world: World) -> None:
    here = OwnerReference(kind="Deployment", api_version="apps/v1", name="d", uid="d1")
    world.owned = {("Deployment", "d"): ("d1", here)}
    world.say("e1", "d1", regarding={"kind": "Deployment", "apiVersion": "apps/v1", "name": "d"})
    assert world.told() == []


def test_what_is_heard_of_before_its_pod_waits_for_it_and_not_for_ever(world: World) -> None:
    world.say("early", "p2")
    world.say("of-nobody", "p3")
    assert world.told() == []
    world.kin.pods["p2"] = "w1"
    assert world.later(2) == [("early", "w1", 1)]
    world.later(60)
    assert len(world.happenings) == 0


def test_what_is_said_of_a_pod_after_its_end_is_told_as_its_workloads(world: World) -> None:
    del world.kin.pods["p1"]
    world.kin.pod_is_gone("p1", "w1", NAMESPACE)
    world.say("killing")
    world.kin.workload_is_gone("w1")
    world.say("killed")
    world.say("deleted", "w1")
    assert world.told() == [("killing", "w1", 1), ("killed", "w1", 1), ("deleted", "w1", 1)]


def test_of_what_went_before_this_leader_came_the_control_plane_is_to_know_whose_it_was(world: World) -> None:
    world.gone = {"p8"}
    world.say("old", "p8", at=START - 600)
    world.say("old-and-of-nobody", "p9", at=START - 600)
    world.say("nonsense", "", at=START - 600)
    assert world.told() == [("old", None, 1)]
    assert len(world.happenings) == 0


def test_what_is_repeated_is_one_event_that_is_told_again_now_and_then(world: World) -> None:
    world.say("backoff")
    assert world.told() == [("backoff", "w1", 1)]
    for count in range(2, 7):
        world.say("backoff", count=count)
        assert world.later(10) == [], count
    assert world.later(REPEAT_SECONDS) == [("backoff", "w1", 6)]
    world.say("backoff", count=6)
    assert world.later(2 * REPEAT_SECONDS) == []


def test_what_is_repeated_while_its_report_is_on_the_way_is_not_lost(world: World) -> None:
    world.say("backoff")
    assert world.happenings.look("backoff") is not None
    world.say("backoff", count=2)
    world.happenings.taken("backoff")
    world.told()
    assert world.later(REPEAT_SECONDS) == [("backoff", "w1", 2)]


def test_a_new_session_tells_what_is_heard_once_more_and_what_had_not_arrived(world: World) -> None:
    world.say("arrived")
    world.told()
    world.say("on-its-way")
    assert world.happenings.look("on-its-way") is not None
    world.happenings.begin()
    assert list(world.happenings.there()) == ["on-its-way"]
    world.say("arrived")
    assert names(world.told()) == ["on-its-way", "arrived"]


def test_of_a_workload_of_which_too_much_is_said_the_latest_is_told_as_there_is_budget(world: World) -> None:
    for number in range(3 * MOST_OF_ONE):
        world.say(f"e{number}", at=START + number)
    assert len(world.happenings) == MOST_OF_ONE
    assert names(world.told()) == [f"e{number}" for number in range(2 * MOST_OF_ONE, 3 * MOST_OF_ONE)], "the latest"
    for number in range(3 * MOST_OF_ONE):
        world.say(f"f{number}", at=START + 1000 + number)
    assert world.told() == []
    some = names(world.later(60))
    assert 0 < len(some) <= 11, "a few a minute"


def test_what_others_say_displaces_nothing_that_aliquot_says_and_no_other_workload(world: World) -> None:
    world.kin.pods["p2"] = "w2"
    world.kin.workload_is_in("w2", NAMESPACE)
    for number in range(5 * MOST_OF_ONE):
        world.say(f"noise{number}")
    world.say("ours", **OURS)
    world.say("of-the-other", "p2")
    assert {"ours", "of-the-other"} <= set(names(world.told()))


def test_however_much_is_said_in_however_many_namespaces_little_is_kept(world: World) -> None:
    for number in range(20_000):
        workload = f"w{number}"
        world.kin.workload_is_in(workload, NAMESPACE)
        world.say(f"e{number}", workload)
        world.say(f"unknown{number}", f"x{number}")
        world.say(f"elsewhere{number}", f"y{number}", namespace="elsewhere")
    assert len(world.happenings) <= 12_000
    assert len(world.told()) <= 1000, "and no more at once"
