"""A workload in a world where anything may happen at any moment: it ends, and never does what it must not.

The machine keeps its own book of what really happened, so that a wrong balance cannot vouch for itself.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

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
from tests.core.lifecycle.lifecycle_world import ALIVE, NEW, RETRY, facts, going, spec, waiting

EVICTED: dict[str, Any] = {"disrupted": True, "reason": "EvictionByAliquot", "message": "takes its GPUs"}


class AnyLife(RuleBasedStateMachine):
    """Pods run, fail, are evicted and vanish; the operator is killed between any two of its writes."""

    @initialize(completions=st.integers(1, 4), parallelism=st.integers(1, 4), backoff_limit=st.integers(0, 3))
    def begins(self, completions: int, parallelism: int, backoff_limit: int) -> None:
        self.most_at_once = parallelism
        self.spec = spec(
            completions=completions, parallelism=min(parallelism, completions), backoff_limit=backoff_limit
        )
        self.pods: dict[str, ObservedPod] = {}
        self.status = NEW
        self.now = 1000.0
        self.own_failures = 0
        self.unrecorded_losses = 0

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
        read = WorkloadStatus.model_validate_json(self.status.model_dump_json(exclude_unset=True))
        assert read == self.status
        self.status = read
        self.unrecorded_losses = 0 if finished is None else self.unrecorded_losses

    # the cluster

    def pick(self, data: st.DataObject, *phases: PodPhase) -> ObservedPod | None:
        found = [pod for name, pod in sorted(self.pods.items()) if pod.phase in phases]
        return data.draw(st.sampled_from(found)) if found else None

    def change(self, pod: ObservedPod | None, **changes: Any) -> None:
        if pod is not None:
            self.pods[pod.name] = replace(pod, **changes)

    @rule(data=st.data())
    def pod_gets_a_node(self, data: st.DataObject) -> None:
        pod = self.pick(data, PodPhase.WAITING)
        self.change(pod, phase=PodPhase.STARTING, node="n1")

    @rule(data=st.data())
    def pod_runs(self, data: st.DataObject) -> None:
        pod = self.pick(data, PodPhase.STARTING)
        self.change(pod, phase=PodPhase.RUNNING, started_at=self.now)

    @rule(data=st.data())
    def pod_succeeds(self, data: st.DataObject) -> None:
        pod = self.pick(data, PodPhase.RUNNING)
        ended: dict[str, Any] = {"phase": PodPhase.SUCCEEDED, "finished_at": self.now, "exit_code": 0}
        self.change(pod, **ended, disrupted=False, reason="")

    @rule(data=st.data())
    def pod_fails(self, data: st.DataObject) -> None:
        pod = self.pick(data, PodPhase.STARTING, PodPhase.RUNNING)
        if pod is not None:
            self.own_failures += not pod.disrupted
            self.change(pod, phase=PodPhase.FAILED, finished_at=self.now, exit_code=3, reason=pod.reason or "Error")

    @rule(data=st.data(), by_us=st.booleans())
    def pod_is_evicted_or_deleted(self, data: st.DataObject, by_us: bool) -> None:
        pod = self.pick(data, *ALIVE)
        if pod is not None:
            self.pods[pod.name] = going(pod, **EVICTED) if by_us else going(pod)

    @rule(data=st.data())
    def disrupted_pod_ends_and_stays(self, data: st.DataObject) -> None:
        pod = self.pick(data, *ALIVE)
        if pod is not None and pod.disrupted:
            self.change(pod, phase=PodPhase.FAILED, finished_at=self.now, deleting=False)

    @rule(data=st.data())
    def pod_is_lost_without_a_word(self, data: st.DataObject) -> None:
        pod = self.pick(data, *PodPhase)
        if pod is not None:
            # What was lost before it was recorded cannot count: the book leaves it out, for each such failure a try more.
            unrecorded = pod.phase is PodPhase.FAILED and not pod.disrupted
            self.own_failures -= unrecorded and self.own_failures > (self.status.failed_pods or 0)
            del self.pods[pod.name]

    @precondition(lambda self: self.status.phase is not None)
    @rule(active=st.booleans(), parallelism=st.integers(1, 4))
    def user_changes_the_spec(self, active: bool, parallelism: int) -> None:
        self.most_at_once = max(self.most_at_once, parallelism)
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
            for pod in self.alive():
                if pod.deleting:
                    del self.pods[pod.name]
                else:
                    self.change(pod, phase=PodPhase.SUCCEEDED, node="n1", finished_at=self.now)
            again = self.plan().look_again_at
            self.now = self.now + 1 if again is None else max(self.now, again)
            if self.plan().delete_workload:
                break
        assert record_of(self.status).finished is not None, "every workload ends"
        assert self.plan().delete_workload, "and goes when its time is over"
        if record_of(self.status).finished == "Completed":
            assert record_of(self.status).completed == frozenset(range(self.spec.completions))


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
