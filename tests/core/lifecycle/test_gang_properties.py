"""A gang in a world where anything may happen at any moment: it ends, and never does what it must not.

The machine keeps its own book of what really happened, so that a wrong balance cannot vouch for itself.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.core.lifecycle import Facts, ObservedPod, PodPhase, Steps, Wait, happenings, plan, record_of, status
from tests.core.lifecycle.lifecycle_world import NEW, RETRY, facts, gang, going, waiting

EVICTED: dict[str, Any] = {"disrupted": True, "reason": "EvictionByAliquot", "message": "takes its GPUs"}
ENDED = (PodPhase.SUCCEEDED, PodPhase.FAILED)


class AnyGang(RuleBasedStateMachine):
    """Pods run, fail, are evicted and vanish; the operator is killed between any two of its writes."""

    @initialize(
        workers=st.integers(1, 3),
        backoff_limit=st.integers(0, 2),
        master=st.booleans(),
        elastic=st.booleans(),
        clean=st.sampled_from(["Running", "All", "None"]),
    )
    def begins(self, workers: int, backoff_limit: int, master: bool, elastic: bool, clean: Any) -> None:
        asked = gang(workers=workers, backoff_limit=backoff_limit, clean_pod_policy=clean, ttl_seconds=60)
        asked = asked if master else replace(asked, master=None)
        self.spec = replace(asked, elastic=(1, asked.size)) if elastic else asked
        self.pods: dict[str, ObservedPod] = {}
        self.status = NEW
        self.now = 1000.0
        self.own_failures = 0

    # the operator

    def facts(self) -> Facts:
        wait = Wait("NotEnoughResources", "no room") if self.some(PodPhase.WAITING) else None
        return facts(*self.pods.values(), spec=self.spec, wait=wait)

    def plan(self) -> Steps:
        pods = list(self.pods.values())
        steps = plan(self.spec, pods, record_of(self.status), self.now, RETRY)
        assert plan(self.spec, pods[::-1], record_of(self.status), self.now, RETRY) == steps
        return steps

    def some(self, *phases: PodPhase) -> list[ObservedPod]:
        return [pod for _, pod in sorted(self.pods.items()) if pod.phase in phases]

    def alive(self) -> list[ObservedPod]:
        return [pod for pod in self.some(*PodPhase) if pod.alive]

    def carry_out(self, steps: Steps, carried: int) -> None:
        for name in steps.delete[:carried]:
            pod = self.pods[name]
            assert pod.alive or record_of(self.status).finished, "what only a pod tells is not deleted"
            self.pods[name] = going(pod) if pod.alive else replace(pod, deleting=True)
        carried -= len(steps.delete)
        for new in steps.create[: max(0, carried)]:
            made = waiting(new.index, new.attempt, failed_attempts=new.failed_attempts, created=self.now)
            assert made.name not in self.pods, "a name never meets a pod that exists"
            assert all(pod.index != new.index for pod in self.alive()), "a rank has one pod at a time"
            assert record_of(self.status).finished is None, "nothing comes after the end"
            self.pods[made.name] = made

    @rule(carried=st.integers(0, 6))
    def operator_takes_some_steps(self, carried: int) -> None:
        self.carry_out(self.plan(), carried)

    @rule()
    def operator_takes_all_steps(self) -> None:
        self.carry_out(self.plan(), 100)
        settled = self.plan()
        assert not settled.create, "what was carried out is not wanted again"
        assert not settled.delete
        assert settled.look_again_at is None or settled.look_again_at > self.now
        self.nobody_runs_in_a_gap()

    def nobody_runs_in_a_gap(self) -> None:
        """In a rigid gang that has been looked at, whoever runs and stays has all the others, or they succeeded."""
        if self.spec.elastic is not None or self.plan().outcome is not None:
            return
        for pod in self.alive():
            if pod.phase is PodPhase.RUNNING and not pod.deleting:
                there = {other.index for other in self.pods.values() if other.attempt == pod.attempt}
                recorded = record_of(self.status).completed
                assert there | recorded >= set(range(self.spec.size)), "a gang with a gap does not go on"

    @rule()
    def operator_writes_the_status(self) -> None:
        before = self.status
        self.status = status(self.facts(), before, self.now)
        assert status(self.facts(), self.status, self.now + 5) is self.status
        assert not happenings(self.status, self.status)
        assert (self.status.failed_pods or 0) >= (before.failed_pods or 0)
        finished = record_of(before).finished
        assert finished is None or record_of(self.status).finished == finished, "an end is for good"
        assert (record_of(self.status).finished is not None) == (self.plan().outcome is not None)
        if record_of(self.status).finished == "Failed":
            assert self.own_failures > self.spec.backoff_limit, "disruptions are no failures"
        self.status = WorkloadStatus.model_validate_json(self.status.model_dump_json(exclude_unset=True))

    # the cluster

    def change(self, pod: ObservedPod, **changes: Any) -> None:
        self.pods[pod.name] = replace(pod, **changes)

    @precondition(lambda self: self.alive())
    @rule(data=st.data(), good=st.booleans())
    def pod_goes_on(self, data: st.DataObject, good: bool) -> None:
        """Its life's next step; a rigid gang gets its nodes when all of it is there."""
        pod = data.draw(st.sampled_from(self.alive()))
        end: dict[str, Any] = {"finished_at": self.now, "exit_code": 0 if good else 3}
        match pod.phase:
            case PodPhase.WAITING:
                together = [other for other in self.alive() if other.attempt == pod.attempt]
                if len(together) >= self.spec.least:
                    for other in together:
                        if other.phase is PodPhase.WAITING:
                            self.change(other, phase=PodPhase.STARTING, node="n1")
            case PodPhase.STARTING if good:
                self.change(pod, phase=PodPhase.RUNNING, started_at=self.now)
            case PodPhase.RUNNING if good:
                self.change(pod, phase=PodPhase.SUCCEEDED, disrupted=False, reason="", **end)
            case _:
                self.own_failures += not pod.disrupted
                self.change(pod, phase=PodPhase.FAILED, reason=pod.reason or "Error", **end)

    @precondition(lambda self: self.alive())
    @rule(data=st.data(), by_us=st.booleans(), ended=st.booleans())
    def pod_is_evicted_or_deleted(self, data: st.DataObject, by_us: bool, ended: bool) -> None:
        pod = data.draw(st.sampled_from(self.alive()))
        self.pods[pod.name] = pod = going(pod, **EVICTED) if by_us else going(pod)
        if ended:
            self.change(pod, phase=PodPhase.FAILED, finished_at=self.now)

    @precondition(lambda self: self.pods)
    @rule(data=st.data())
    def pod_is_lost_without_a_word(self, data: st.DataObject) -> None:
        del self.pods[data.draw(st.sampled_from(sorted(self.pods)))]

    @rule()
    def node_of_ended_pods_is_removed(self) -> None:
        for pod in self.some(*ENDED):
            del self.pods[pod.name]

    @rule(seconds=st.sampled_from([1, 10, 400]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    # what always holds

    @invariant()
    def a_rank_has_one_pod_at_a_time(self) -> None:
        counts = Counter(pod.index for pod in self.alive())
        assert all(count == 1 for count in counts.values()), counts

    @invariant()
    def pods_of_a_rigid_gang_run_with_none_of_an_earlier_attempt(self) -> None:
        if hasattr(self, "spec") and self.spec.elastic is None:
            assert len({pod.attempt for pod in self.alive()}) <= 1

    def teardown(self) -> None:
        """Let the rest of its life be ordinary: it ends, within so many rounds as a gang may begin anew."""
        if not hasattr(self, "spec"):
            return
        for _ in range(40):
            self.operator_takes_all_steps()
            self.operator_writes_the_status()
            for pod in self.alive():
                if pod.deleting:
                    del self.pods[pod.name]
                else:
                    self.change(pod, phase=PodPhase.SUCCEEDED, disrupted=False, node="n1", finished_at=self.now)
            again = self.plan().look_again_at
            self.now = self.now + 1 if again is None else max(self.now, again)
            if record_of(self.status).finished is not None and self.plan().delete_workload:
                break
        assert record_of(self.status).finished is not None, "every gang ends"
        assert self.plan().delete_workload, "and goes when its time is over"


TestAnyGang = AnyGang.TestCase
TestAnyGang.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
