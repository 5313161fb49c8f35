"""The story of the demo: what is applied when, and how things stand."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aliquot_lab import Cluster, LabError
from demo.control_plane import ControlPlane

_WORKLOADS = "/apis/run.ai/v2alpha1/trainingworkloads"
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
    """A part of the story: begins once what went before has come true."""

    title: str
    begin: Callable[["Story"], None]
    ready: Callable[["Story"], bool]


class Story:
    """Makes quotas in the control plane, applies the examples one after the other, and follows what becomes of them.

    Args:
        cluster: the lab, which the control plane knows.
        plane: the control plane.
        examples: the folder of the examples.
    """

    def __init__(self, cluster: Cluster, plane: ControlPlane, examples: Path) -> None:
        self.plane = plane
        self._cluster = cluster
        self._examples = examples
        self._begun = time.monotonic()
        self._chapters = list(CHAPTERS)
        self._projects: list[dict[str, Any]] = []
        self._heard: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.standings: list[Standing] = []
        self.shares: list[Share] = []

    @property
    def over(self) -> bool:
        """Whether everything was applied and has ended, and the control plane has heard so."""
        ended = sorted((one.project, one.phase) for one in self.standings if one.phase in ENDS)
        heard = sorted((one["projectName"], one["phase"]) for one in self._heard if one["phase"] in ENDS)
        done = len(ended) == len(self.standings) and heard == ended
        return not self._chapters and done and not any(each.holds for each in self.shares)

    def go_on(self) -> None:
        """Look how things stand, and apply the next part if its time has come.

        Raises:
            LabError: something was refused, or the story takes too long.
        """
        self._look()
        if not self.over and time.monotonic() - self._begun > _LONGEST_SECONDS:
            stuck = ", ".join(f"{one.name} is {one.phase}: {one.message}" for one in self.standings)
            heard = ", ".join(f"{each['name']} is {each['phase']}" for each in self._heard)
            message = (
                f"the story is not over after {_LONGEST_SECONDS:.0f} s: {stuck}; the control plane has heard: {heard}"
            )
            raise LabError(message)
        if self._chapters and self._chapters[0].ready(self):
            chapter = self._chapters.pop(0)
            chapter.begin(self)
            self.said.append(chapter.title)
            self._look()

    def apply(self, *files: str) -> None:
        """Apply workloads of the examples, by the names of their files."""
        for file in files:
            self._cluster.kubectl("apply", "-f", str(self._examples / "workloads" / file))

    def phase(self, name: str) -> str:
        """The phase of the workload; empty while there is none."""
        return next((one.phase for one in self.standings if one.name == name), "")

    def gpus(self, name: str) -> float:
        """The GPUs that the workload holds."""
        return next((float(one.gpus or 0) for one in self.standings if one.name == name), 0.0)

    def projects_ready(self) -> bool:
        """Whether the control plane has heard that every project has its namespace."""
        return bool(self._projects) and all(project["status"]["phase"] == "Ready" for project in self._projects)

    def _look(self) -> None:
        self._projects, self._heard = self.plane.projects(), self.plane.workloads()
        self.shares = [_share(project) for project in self._projects]
        found = self._cluster.api.call("GET", _WORKLOADS)["items"]
        self.standings = [_standing(one) for one in sorted(found, key=lambda one: one["metadata"]["creationTimestamp"])]


CHAPTERS = (
    Chapter(
        "Two departments and three projects get their quotas of 160 GPUs, over REST; the cluster hears of them.",
        lambda told: told.plane.make_organization(),
        lambda _: True,
    ),
    Chapter(
        "language runs within its quota: 48 GPUs.",
        lambda told: told.apply("1-within-quota.yaml"),
        lambda told: told.projects_ready(),
    ),
    Chapter(
        "vision starts a sweep of 96 GPUs: 64 are its own, 32 are idle ones of others.",
        lambda told: told.apply("2-over-quota.yaml"),
        lambda told: told.gpus("finetune") == 48,
    ),
    Chapter(
        "search wants its 48 GPUs, 16 are free: 32 are taken back from the sweep.",
        lambda told: told.apply("3-owner-takes-back.yaml"),
        lambda told: told.gpus("sweep") == 96,
    ),
    Chapter(
        "A workload that will fail, and one that has to wait: its project has its share, and every GPU is in use.",
        lambda told: told.apply("4-failing.yaml", "5-waiting.yaml"),
        lambda told: told.gpus("ranking") == 48,
    ),
)


def _share(project: dict[str, Any]) -> Share:
    held: float = project["status"]["quotaStatus"]["allocated"]["gpu"]
    deserved: float = sum(each["gpu"]["deserved"] for each in project["resources"])
    return Share(project["name"], held, deserved)


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
