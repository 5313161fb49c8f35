"""A workload in a world where anything may happen at any moment: it ends, and never does what it must not.

The machine keeps its own book of what really happened, so that a wrong balance cannot vouch for itself.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.core.lifecycle import (
    Facts,
    ObservedPod,
    PodPhase,
    Steps,
    Wait,
    happenings,
    plan,
    record_of,
    status,
)
from tests.core.lifecycle.lifecycle_world import ALIVE, NEW, RETRY, facts, failed, going, spec, waiting

EVICTED: dict[str, Any] = {"disrupted": True, "reason": "EvictionByAliquot", "message": "takes its GPUs"}


class AnyLife(RuleBasedStateMachine):
    """Pods run, fail, are evicted and vanish; the operator is killed between any two of its writes."""

    @initialize(completions=st.integers(1, 4), parallelism=st.integers(1, 4), backoff_limit=st.integers(0, 3))
    def begins(self, completions: int, parallelism: int, backoff_limit: int) -> None:
        self.most_at_once = min(parallelism, completions)
        self.spec = spec(
            completions=completions, parallelism=min(parallelism, completions), backoff_limit=backoff_limit
        )
        self.pods: dict[str, ObservedPod] = {}
        self.status = NEW
        self.now = 1000.0
        self.own_failures = 0
        self.own_failures_ever = 0
        self.unrecorded: set[str] = set()

    # the operator

    def facts(self) -> Facts:
        some_wait = any(pod.phase is PodPhase.WAITING for pod in self.pods.values())
        return facts(
            *self.pods.values(),
            spec=self.spec,
            wait=Wait("NotEnoughResources", "no room") if some_wait else None,
        )

    def plan(self) -> Steps:
        pods = list(self.pods.values())
        steps = plan(self.spec, pods, record_of(self.status), self.now, RETRY)
        assert plan(self.spec, pods[::-1], record_of(self.status), self.now, RETRY) == steps
        return steps

    def alive(self) -> list[ObservedPod]:
        return [pod for pod in self.pods.values() if pod.phase in ALIVE]

    def carry_out(self, steps: Steps, carried: int) -> None:
        for name in steps.delete[:carried]:
            self.pods[name] = going(self.pods[name])
        carried -= len(steps.delete)
        for new in steps.create[: max(0, carried)]:
            made = waiting(new.index, new.attempt, failed_attempts=new.failed_attempts, created=self.now)
            assert made.name not in self.pods, "a name never meets a pod that exists"
            assert all(pod.index != new.index for pod in self.alive()), "an index has one pod at a time"
            assert self.status.phase not in ("Completed", "Failed"), "nothing comes after the end"
            assert new.index not in record_of(self.status).completed, "what succeeded never runs again"
            self.pods[made.name] = made
            assert len(self.alive()) <= self.spec.parallelism

    @rule(carried=st.integers(0, 8))
    def operator_takes_some_steps(self, carried: int) -> None:
        self.carry_out(self.plan(), carried)

    @rule()
    def operator_takes_all_steps(self) -> None:
        self.carry_out(self.plan(), 100)
        settled = self.plan()
        assert not settled.create, "what was carried out is not wanted again"
        assert not settled.delete
        staying = [pod for pod in self.alive() if not pod.deleting]
        assert len(staying) <= (self.spec.parallelism if self.spec.active else 0)
        assert settled.look_again_at is None or settled.look_again_at > self.now

    @rule()
    def operator_writes_the_status(self) -> None:
        before = self.status
        self.status = status(self.facts(), before, self.now)
        assert status(self.facts(), self.status, self.now + 5) is self.status
        assert not happenings(self.status, self.status)
        assert (self.status.failed_pods or 0) >= (before.failed_pods or 0)
        assert record_of(self.status).completed >= record_of(before).completed
        finished = record_of(before).finished
        assert finished is None or record_of(self.status).finished == finished, "an end is for good"
        assert (record_of(self.status).finished is not None) == (self.plan().outcome is not None)
        if record_of(self.status).finished == "Failed":
            assert self.own_failures_ever > self.spec.backoff_limit, "disruptions are no failures"
        read = WorkloadStatus.model_validate_json(self.status.model_dump_json(exclude_unset=True))
        assert read == self.status
        self.status = read
        self.unrecorded.clear()

    # the cluster

    def some_pod(self, data: st.DataObject) -> ObservedPod:
        return self.pods[data.draw(st.sampled_from(sorted(self.pods)))]

    def change(self, pod: ObservedPod, **changes: Any) -> None:
        self.pods[pod.name] = replace(pod, **changes)

    @precondition(lambda self: self.alive())
    @rule(data=st.data(), good=st.booleans())
    def pod_goes_on(self, data: st.DataObject, good: bool) -> None:
        """Its life's next step: to a node, into running, to a good or bad end."""
        pod = data.draw(st.sampled_from(sorted(self.alive(), key=lambda pod: pod.name)))
        end: dict[str, Any] = {"finished_at": self.now, "exit_code": 0 if good else 3}
        match pod.phase:
            case PodPhase.WAITING:
                self.change(pod, phase=PodPhase.STARTING, node="n1")
            case PodPhase.STARTING if good:
                self.change(pod, phase=PodPhase.RUNNING, started_at=self.now)
            case PodPhase.RUNNING if good:
                self.change(pod, phase=PodPhase.SUCCEEDED, disrupted=False, reason="", **end)
            case _:
                if not pod.disrupted:
                    self.own_failures += 1
                    self.own_failures_ever += 1
                    self.unrecorded.add(pod.name)
                self.change(pod, phase=PodPhase.FAILED, reason=pod.reason or "Error", **end)

    @precondition(lambda self: self.alive())
    @rule(data=st.data(), by_us=st.booleans(), ended=st.booleans())
    def pod_is_evicted_or_deleted(self, data: st.DataObject, by_us: bool, ended: bool) -> None:
        pod = data.draw(st.sampled_from(sorted(self.alive(), key=lambda pod: pod.name)))
        self.pods[pod.name] = pod = going(pod, **EVICTED) if by_us else going(pod)
        if ended:
            self.change(pod, phase=PodPhase.FAILED, finished_at=self.now, deleting=False)

    @precondition(lambda self: self.pods)
    @rule(data=st.data())
    def pod_is_lost_without_a_word(self, data: st.DataObject) -> None:
        self.lose(self.some_pod(data))

    @rule()
    def node_of_ended_pods_is_removed(self) -> None:
        for pod in list(self.pods.values()):
            if not pod.alive:
                self.lose(pod)

    def lose(self, pod: ObservedPod) -> None:
        if pod.own_failure and self.forgotten(pod):
            self.own_failures -= 1
        self.unrecorded.discard(pod.name)
        del self.pods[pod.name]

    def forgotten(self, lost: ObservedPod) -> bool:
        """Whether nothing is sure to tell of a failure any more: it gives one more try, and the book leaves it out.

        Of several indexes, another may fail before the next pod carries the number on; then one of the two is lost.
        """
        carried = any(pod.index == lost.index and pod.attempt > lost.attempt for pod in self.pods.values())
        return lost.name in self.unrecorded or (self.spec.completions > 1 and not carried)

    @rule(active=st.booleans(), parallelism=st.integers(1, 4))
    def user_changes_the_spec(self, active: bool, parallelism: int) -> None:
        self.most_at_once = max(self.most_at_once, min(parallelism, self.spec.completions))
        self.spec = replace(self.spec, active=active, parallelism=min(parallelism, self.spec.completions))

    @rule(seconds=st.sampled_from([1, 10, 400]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    # what always holds

    @invariant()
    def an_index_has_one_pod_at_a_time(self) -> None:
        counts = Counter(pod.index for pod in self.alive())
        assert all(count == 1 for count in counts.values()), counts

    @invariant()
    def failures_are_bounded(self) -> None:
        assert self.own_failures <= self.spec.backoff_limit + self.most_at_once

    def teardown(self) -> None:
        """Let the rest of its life be ordinary: it ends, within so many rounds as there are pods to run."""
        if not hasattr(self, "spec"):
            return
        self.spec = replace(self.spec, active=True, ttl_seconds=60)
        for _ in range(40):
            self.operator_takes_all_steps()
            self.operator_writes_the_status()
            self.node_of_ended_pods_is_removed()
            for pod in self.alive():
                if pod.deleting:
                    del self.pods[pod.name]
                else:
                    self.change(pod, phase=PodPhase.SUCCEEDED, node="n1", finished_at=self.now)
            again = self.plan().look_again_at
            self.now = self.now + 1 if again is None else max(self.now, again)
            if record_of(self.status).finished is not None and self.plan().delete_workload:
                break
        assert record_of(self.status).finished is not None, "every workload ends"
        assert self.plan().delete_workload, "and goes when its time is over"
        if record_of(self.status).finished == "Completed":
            assert record_of(self.status).completed == frozenset(range(self.spec.completions))


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("backoff_limit", [0, 1, 3])
def test_failed_pods_that_are_deleted_by_hand_give_no_new_tries(backoff_limit: int) -> None:
    asked, recorded, now, tries = spec(backoff_limit=backoff_limit), NEW, 1000.0, 0
    while not (steps := plan(asked, [], record_of(recorded), now, RETRY)).outcome:
        [new] = steps.create
        tries += 1
        assert tries <= 10, "it ends"
        gone = failed(new.index, new.attempt, failed_attempts=new.failed_attempts, finished_at=now)
        recorded = status(facts(gone, spec=asked), recorded, now)
        now += 1
    assert (steps.outcome, tries) == ("Failed", backoff_limit + 1)
