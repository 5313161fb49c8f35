"""Counters before and after: CPU and memory of processes from /proc, requests from the API server's own metrics."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from aliquot_lab import Cluster
from aliquot_lab.cluster import API_SERVER

_WRITES = frozenset({"post", "put", "patch", "apply", "delete", "deletecollection"})
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Reading:
    """Counters at one moment.

    Attributes:
        cpu_seconds: CPU time that each process has used since it started, by name.
        requests: requests that the API server has answered, by `verb resource`.
        cut_watches: watches that it has ended because it, or who watched, could not keep up; each begins anew.
    """

    cpu_seconds: Mapping[str, float]
    requests: Counter[str]
    cut_watches: int

    def since(self, before: "Reading") -> "Reading":
        """What came between two moments; processes that were not there before count whole."""
        seconds = {name: value - before.cpu_seconds.get(name, 0.0) for name, value in self.cpu_seconds.items()}
        return Reading(seconds, self.requests - before.requests, self.cut_watches - before.cut_watches)

    def per_workload(self, workloads: int) -> dict[str, Any]:
        """What one of so many workloads cost, for a report; watches that were cut are counted for all."""
        return {
            "cpu_milliseconds": {name: value * 1000 / workloads for name, value in self.cpu_seconds.items()},
            "requests": {name: count / workloads for name, count in sorted(self.requests.items()) if count},
            "cut_watches": self.cut_watches,
        }

    def writes(self) -> dict[str, int]:
        """Requests that changed something, but for Leases, by `verb resource`."""
        return {
            name: count
            for name, count in sorted(self.requests.items())
            if name.split()[0] in _WRITES and not name.endswith(" leases") and count > 0
        }


def read(cluster: Cluster) -> Reading:
    """Read all counters now."""
    seconds = {name: cpu_seconds(pid) for name, pid in cluster.processes().items()}
    requests: Counter[str] = Counter()
    for sample in _samples(cluster, "apiserver_request_total"):
        labels = sample.labels
        resource = "/".join(filter(None, (labels["resource"], labels["subresource"])))
        requests[f"{labels['verb'].lower()} {resource}"] += int(sample.value)
    return Reading(seconds, requests, sum(int(one.value) for one in _samples(cluster, "apiserver_terminated_watchers")))


def peak_memory_mib(cluster: Cluster) -> dict[str, float]:
    """Largest resident memory of each process since `forget_peaks`, in MiB."""
    return {name: peak_mib(pid) for name, pid in cluster.processes().items()}


def forget_peaks(cluster: Cluster) -> None:
    """Begin to look for peaks of memory anew."""
    for pid in cluster.processes().values():
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def api_server_cpu(cluster: Cluster) -> float:
    """CPU seconds of the API server so far."""
    return cpu_seconds(cluster.processes()[API_SERVER])


def watchers(cluster: Cluster, resource: str) -> int:
    """How many watches of a resource the API server serves now."""
    samples = _samples(cluster, "apiserver_longrunning_requests")
    return sum(int(one.value) for one in samples if (one.labels["verb"], one.labels["resource"]) == ("WATCH", resource))


def webhook_buckets(cluster: Cluster) -> dict[float, float]:
    """How many questions to admission webhooks took at most so many seconds, as the API server counts them."""
    found: dict[float, float] = {}
    for sample in _samples(cluster, "apiserver_admission_webhook_admission_duration_seconds_bucket"):
        bound = float(sample.labels["le"])
        found[bound] = found.get(bound, 0.0) + sample.value
    return found


def within(before: Mapping[float, float], after: Mapping[float, float]) -> dict[str, float]:
    """Which part of the questions between two moments took at most so many milliseconds."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    every = counts.get(float("inf"), 0.0)
    return {f"{bound * 1000:g}": count / every for bound, count in counts.items() if every and bound != float("inf")}


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mib(pid: int) -> float:
    """Largest resident memory of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _samples(cluster: Cluster, name: str) -> list[Sample]:
    """What the API server's metrics whose names have this in them say now."""
    text = cluster.kubectl("get", "--raw", "/metrics")
    wanted = "\n".join(line for line in text.splitlines() if name in line)
    return [sample for family in text_string_to_metric_families(wanted + "\n") for sample in family.samples]
