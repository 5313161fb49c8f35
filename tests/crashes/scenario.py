"""Thirty workloads of two projects on eight GPUs: what happens on a busy day, and how it must end whatever breaks.

    a holds all GPUs, half of them b's ──▶ b comes and gets its half back ──▶ all of b is done ──▶ all of a is done

Every step waits for the one before, so nothing depends on how long a crash takes: the borrowers run until they are
told to end, which is when b is done; so one of them has been stopped for b in between.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aliquot_lab.api import Call
from tests.crashes.stage import Stage, tried
from tests.support.arena import DURATION, MERGE, PROJECTS, WORKLOADS

_WOKEN: Final = "lab.aliquot.dev/woken"
_ENDED: Final = ("Completed", "Failed")
_LONGEST_SECONDS: Final = 900.0


@dataclass(frozen=True)
class Part:
    """A workload and its end.

    Attributes:
        project: `a` or `b`.
        gpu: of each pod.
        duration: of each pod; None: until the borrowers are told to end.
        completions: how many pods must succeed.
        parallelism: how many at once.
        failures: how many pods fail before it is given up; 0: none fails.
    """

    project: str
    gpu: int = 1
    duration: str | None = "300ms"
    completions: int = 1
    parallelism: int = 1
    failures: int = 0

    @property
    def end(self) -> dict[str, object]:
        """What its status says in the end."""
        if self.failures:
            return {"phase": "Failed", "succeededPods": 0, "failedPods": self.failures, "runningPods": 0}
        return {"phase": "Completed", "succeededPods": self.completions, "failedPods": 0, "runningPods": 0}

    @property
    def pods(self) -> list[tuple[str, str]]:
        """Index and phase of each pod that is there in the end."""
        if self.failures:
            return [("0", "Failed")] * self.failures
        return sorted((str(index), "Succeeded") for index in range(self.completions))


_BORROWERS: Final = (Part("a", gpu=4, duration=None), Part("a", gpu=4, duration=None))
_DAY: Final = (
    Part("b", gpu=4, duration="500ms"),
    Part("b"),
    Part("a"),
    Part("b", duration="100ms", failures=3),
    Part("b", completions=4, parallelism=2),
    Part("a", gpu=2, duration="1s"),
    Part("b", gpu=2, duration="600ms"),
    Part("a", duration="100ms", failures=2),
    Part("b"),
    Part("a", completions=3, parallelism=3),
)


class Scenario:
    """A busy day.

    Args:
        stage: where; has neither nodes nor projects yet, and an operator.
        workloads: how many, at least 12.
    """

    def __init__(self, stage: Stage, workloads: int = 30) -> None:
        self.stage = stage
        day = [_DAY[number % len(_DAY)] for number in range(workloads - len(_BORROWERS))]
        self._borrowers = {f"borrower-{number}": part for number, part in enumerate(_BORROWERS)}
        self._rest = {f"job-{number}": part for number, part in enumerate(day)}
        self._namespaces: dict[str, str] = {}

    def play(self, *, during: Callable[[], object] = lambda: None) -> None:
        """Play it to its end, and see that it is the right one.

        Args:
            during: called once b's work has begun.
        """
        self.begin()
        during()
        self.finish()

    def begin(self) -> None:
        """Play up to the moment when b's work has begun on what was taken back from a."""
        stage = self.stage
        stage.nodes(2, gpus=4)
        self._namespaces = {project: stage.project(project, deserved=4) for project in ("a", "b")}
        self._submit(self._borrowers)
        a = self._namespaces["a"]
        stage.until(tried(lambda: stage.running(a) == 8), "a to hold all GPUs", _LONGEST_SECONDS)
        self._submit(self._rest)
        b = self._namespaces["b"]
        stage.until(tried(lambda: stage.running(b) > 0), "b to get some of its GPUs back", _LONGEST_SECONDS)

    def wake_kubelets(self) -> None:
        """Change every pod a little, so that hollow kubelets look at them again.

        What a failing API server did not do for them they give up, unlike real ones.
        """
        mark, gone = {"metadata": {"annotations": {_WOKEN: "true"}}}, frozenset({404})
        pods = [pod["metadata"] for namespace in self._namespaces.values() for pod in self.stage.pods(namespace)]
        paths = [f"/api/v1/namespaces/{pod['namespace']}/pods/{pod['name']}" for pod in pods]
        self.stage.lab.api.call_all([Call("PATCH", path, mark, MERGE, gone) for path in paths])

    def finish(self) -> None:
        """Play to the end, and see that it is the right one."""
        of_b = {name: part for name, part in self._rest.items() if part.project == "b"}
        self.stage.until_nothing(lambda: self._not_ended(of_b))
        self.stage.until_nothing(self._not_ended_of_a)
        self.stage.until_nothing(self.differences)

    def differences(self) -> list[str]:
        """What is not as it must be in the end."""
        found: list[str] = []
        gone = Counter[str]()
        for name, part in {**self._borrowers, **self._rest}.items():
            namespace = self._namespaces[part.project]
            workload = self.stage.workload(namespace, name)
            status = workload.get("status", {})
            seen = {member: status.get(member, 0) for member in part.end}
            pods = [pod for pod in self.stage.pods(namespace, name) if not _failed_on_leaving(pod)]
            runs = sorted((pod["metadata"]["labels"]["aliquot.dev/pod-index"], pod["status"]["phase"]) for pod in pods)
            if seen != part.end:
                found.append(f"{name} ended as {seen}, not as {part.end}")
            missing = self._succeeded_on_leaving(namespace, name, Counter(part.pods) - Counter(runs))
            gone[part.project] += missing.total()
            if Counter(runs) + missing != Counter(part.pods):
                found.append(f"{name} has the pods {runs}, not {part.pods}")
            owners = {owner["uid"] for pod in pods for owner in pod["metadata"]["ownerReferences"]}
            if pods and owners != {workload["metadata"]["uid"]}:
                found.append(f"{name} has pods of {owners}")
        for project, namespace in self._namespaces.items():
            parts = [part for part in (*_BORROWERS, *self._rest.values()) if part.project == project]
            ours = sum(len(part.pods) for part in parts) - gone[project]
            left = sum(not _failed_on_leaving(pod) for pod in self.stage.pods(namespace))
            if left != ours:
                found.append(f"{left} pods in {namespace}, not {ours}")
            held = self._held(project)
            if held != "0":
                found.append(f"project {project} says that it holds {held} GPUs")
        return found

    def _succeeded_on_leaving(
        self, namespace: str, name: str, missing: Counter[tuple[str, str]]
    ) -> Counter[tuple[str, str]]:
        """Those of the missing pods that may be gone: they succeeded while they were being evicted, which counts."""
        if not missing:
            return missing
        evicted = {
            record.name.rpartition("-")[0]
            for record in self.stage.lab.audit()
            if (record.verb, record.resource, record.subresource) == ("delete", "pods", "")
            and record.namespace == namespace
        }
        return Counter(
            {
                (index, phase): count
                for (index, phase), count in missing.items()
                if phase == "Succeeded" and f"{name}-{index}" in evicted
            }
        )

    def _submit(self, parts: Mapping[str, Part]) -> None:
        for name, part in parts.items():
            self.stage.submit(
                self._namespaces[part.project],
                name,
                gpu=str(part.gpu),
                duration=part.duration,
                completions=part.completions,
                parallelism=part.parallelism,
                backoffLimit=max(0, part.failures - 1),
                annotations={"exit-code": "3"} if part.failures else None,
            )

    def _not_ended(self, parts: Mapping[str, Part]) -> list[str]:
        statuses: dict[str, dict[str, Any]] = {}
        for project in {part.project for part in parts.values()}:
            path = f"{WORKLOADS}/namespaces/{self._namespaces[project]}/trainingworkloads"
            found = self.stage.lab.api.call("GET", path)["items"]
            statuses |= {workload["metadata"]["name"]: workload.get("status", {}) for workload in found}
        return [
            f"{name} is still {statuses.get(name)}; its pods: {self._pods_of(name, part)}"
            for name, part in parts.items()
            if statuses.get(name, {}).get("phase") not in _ENDED
        ]

    def _pods_of(self, name: str, part: Part) -> dict[str, str]:
        pods = self.stage.pods(self._namespaces[part.project], name)
        return {pod["metadata"]["name"]: f"{pod['status']['phase']} on {pod['spec'].get('nodeName')}" for pod in pods}

    def _not_ended_of_a(self) -> list[str]:
        namespace = self._namespaces["a"]
        for name in self._borrowers:
            for pod in self.stage.pods(namespace, name):
                if DURATION not in pod["metadata"].get("annotations", {}):
                    path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
                    self.stage.patch(path, {"metadata": {"annotations": {DURATION: "100ms"}}})
        return self._not_ended({**self._borrowers, **self._rest})

    def _held(self, project: str) -> str:
        status = self.stage.get(f"{PROJECTS}/{self.stage.name}-{project}").get("status", {})
        return status.get("quotaStatus", {}).get("allocated", {}).get("nvidia.com/gpu", "0")


def _failed_on_leaving(pod: dict[str, Any]) -> bool:
    """Whether it failed while it was being evicted, which does not count: it is tried again, and may lie about."""
    conditions = pod["status"].get("conditions", [])
    return pod["status"]["phase"] == "Failed" and any(each["type"] == "DisruptionTarget" for each in conditions)
