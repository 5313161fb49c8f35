"""What the scheduler knows of the pods of one workload, for its report."""

from collections.abc import Callable
from dataclasses import dataclass

from aliquot.cluster.feed import Feed
from aliquot.cluster.jobs import Jobs
from aliquot.contracts.kubernetes import Pod
from aliquot.core.lifecycle import Wait
from aliquot.core.quantities import ZERO, quantify
from aliquot.core.tenancy import resource_amounts


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known.

    Attributes:
        project: name of the project whose quota they use; None: nobody's.
        department: name of its department; None: it has none.
        pools: node pools that they may use, most wanted first.
        priority_class: of the oldest; None: it has none.
        requests: what those ask for that have not ended, as amounts by resource; of those that were scheduled together
            last, where all have.
        jobs: the job of each pod, by uid.
        wait: why one of them waits; None: none does.
    """

    project: str | None
    department: str | None
    pools: tuple[str, ...]
    priority_class: str | None
    requests: dict[str, int | str]
    jobs: dict[str, str]
    wait: Wait | None


class Standings:
    """Finds it out.

    Args:
        feed: what pods are to the scheduler.
        jobs: which pods belong together.
        verdict: why a pod waits, by its uid, as of the last round.
    """

    def __init__(self, feed: Feed, jobs: Jobs, verdict: Callable[[str], Wait | None]) -> None:
        self._feed = feed
        self._jobs = jobs
        self._verdict = verdict

    def of(self, pods: list[Pod]) -> Standing:
        """What is known of these pods, oldest first, at least one."""
        jobs = {pod.metadata.uid: self._jobs.job_of(pod.metadata.uid) for pod in pods}
        project = self._feed.project_of(pods[0])
        job = self._feed.facts_of(pods[0]).job
        last = jobs[pods[-1].metadata.uid]
        alive = [pod for pod in pods if pod.status.phase not in ("Succeeded", "Failed")]
        total = ZERO
        for pod in alive or [pod for pod in pods if jobs[pod.metadata.uid] == last]:
            total += quantify(self._feed.facts_of(pod).task.request, 0)
        return Standing(
            project=None if project is None else project.metadata.name,
            department=None if project is None else project.spec.department,
            pools=job.pools,
            priority_class=self._feed.priority_class_of(pods[0]),
            requests=resource_amounts(total),
            jobs=jobs,
            wait=self._wait(pods),
        )

    def _wait(self, pods: list[Pod]) -> Wait | None:
        """Why the first of them waits that does."""
        found = (self._verdict(pod.metadata.uid) for pod in pods if not pod.spec.node_name)
        return next((wait for wait in found if wait is not None), None)
