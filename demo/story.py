"""The story of the demo: what is applied when, and how things stand."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aliquot_lab import Cluster, LabError

_WORKLOADS = "/apis/run.ai/v2alpha1/trainingworkloads"
_PROJECTS = "/apis/run.ai/v2/projects"
_GPU = "nvidia.com/gpu"
_LONGEST_SECONDS = 180.0
ENDS = ("Completed", "Failed")


@dataclass(frozen=True)
class Standing:
    """How a workload is doing, as its status says."""

    project: str
    name: str
    phase: str
    gpus: str
    pods: str
    reason: str
    message: str


@dataclass(frozen=True)
class Share:
    """What a project holds of what it deserves, in GPUs."""

    project: str
    holds: float
    deserves: float


@dataclass(frozen=True)
class Chapter:
    """A part of the story: applied once what went before has come true."""

    title: str
    files: tuple[str, ...]
    ready: Callable[["Story"], bool]


class Story:
    """Applies the examples one after the other and follows what becomes of them."""

    def __init__(self, cluster: Cluster, examples: Path) -> None:
        self._cluster = cluster
        self._examples = examples
        self._begun = time.monotonic()
        self._chapters = list(CHAPTERS)
        self.said: list[str] = []
        self.standings: list[Standing] = []
        self.shares: list[Share] = []

    @property
    def over(self) -> bool:
        """Whether everything was applied and has ended, and its projects hold no GPU any more."""
        ended = all(one.phase in ENDS for one in self.standings)
        projects = {one.project for one in self.standings}
        return not self._chapters and ended and not any(each.holds for each in self.shares if each.project in projects)

    def go_on(self) -> None:
        """Look how things stand, and apply the next part if its time has come.

        Raises:
            LabError: something was refused, or the story takes too long.
        """
        self._look()
        if not self.over and time.monotonic() - self._begun > _LONGEST_SECONDS:
            stuck = ", ".join(f"{one.name} is {one.phase}: {one.message}" for one in self.standings)
            message = f"the story is not over after {_LONGEST_SECONDS:.0f} s: {stuck}"
            raise LabError(message)
        if self._chapters and self._chapters[0].ready(self):
            chapter = self._chapters.pop(0)
            for file in chapter.files:
                self._cluster.kubectl("apply", "-f", str(self._examples / file))
            self.said.append(chapter.title)
            self._look()

    def phase(self, name: str) -> str:
        """The phase of the workload; empty while there is none."""
        return next((one.phase for one in self.standings if one.name == name), "")

    def gpus(self, name: str) -> float:
        """The GPUs that the workload holds."""
        return next((float(one.gpus or 0) for one in self.standings if one.name == name), 0.0)

    def namespaces_ready(self) -> bool:
        """Whether every project has its namespace."""
        return bool(self._projects) and all(
            project.get("status", {}).get("phase") == "Ready" for project in self._projects
        )

    def _look(self) -> None:
        self._projects: list[dict[str, Any]] = self._cluster.api.call("GET", _PROJECTS)["items"]
        self.shares = sorted((_share(project) for project in self._projects), key=lambda share: share.project)
        found = self._cluster.api.call("GET", _WORKLOADS)["items"]
        self.standings = [_standing(one) for one in sorted(found, key=lambda one: one["metadata"]["creationTimestamp"])]


CHAPTERS = (
    Chapter(
        "Two departments and three projects get their quotas of 160 GPUs.",
        ("projects/departments.yaml", "projects/projects.yaml"),
        lambda _: True,
    ),
    Chapter(
        "language runs within its quota: 48 GPUs.",
        ("workloads/1-within-quota.yaml",),
        lambda told: told.namespaces_ready(),
    ),
    Chapter(
        "vision starts a sweep of 96 GPUs: 64 are its own, 32 are idle ones of others.",
        ("workloads/2-over-quota.yaml",),
        lambda told: told.gpus("finetune") == 48,
    ),
    Chapter(
        "search wants its 48 GPUs, 16 are free: 32 are taken back from the sweep.",
        ("workloads/3-owner-takes-back.yaml",),
        lambda told: told.gpus("sweep") == 96,
    ),
    Chapter(
        "A workload that will fail, and one that has to wait: its project has its share, and every GPU is in use.",
        ("workloads/4-failing.yaml", "workloads/5-waiting.yaml"),
        lambda told: told.gpus("ranking") == 48,
    ),
)


def _share(project: dict[str, Any]) -> Share:
    held = project.get("status", {}).get("quotaStatus", {}).get("allocated", {}).get(_GPU, 0)
    deserved = sum(queue["resources"]["gpu"]["deserved"] for queue in project["spec"]["queues"])
    return Share(project["metadata"]["name"], float(held), float(deserved))


def _standing(workload: dict[str, Any]) -> Standing:
    status: dict[str, Any] = workload.get("status", {})
    counts = (
        (status.get("runningPods", 0), "run"),
        (status.get("pendingPods", 0), "wait"),
        (status.get("succeededPods", 0), "done"),
        (status.get("failedPods", 0), "failed"),
    )
    return Standing(
        project=status.get("project", ""),
        name=workload["metadata"]["name"],
        phase=status.get("phase", ""),
        gpus=status.get("totalAllocatedGPU", "0"),
        pods=", ".join(f"{count} {what}" for count, what in counts if count),
        reason=status.get("reason", ""),
        message=status.get("phaseMessage", ""),
    )
