"""Counters before and after: CPU and memory of processes from /proc, requests from the API server's own metrics."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from aliquot_lab import Cluster
from aliquot_lab.cluster import API_SERVER

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


def read(cluster: Cluster) -> Reading:
    """Read all counters now."""
    seconds = {name: _cpu_seconds(pid) for name, pid in cluster.processes().items()}
    requests: Counter[str] = Counter()
    for sample in _samples(cluster, "apiserver_request_total"):
        labels = sample.labels
        resource = "/".join(filter(None, (labels["resource"], labels["subresource"])))
        requests[f"{labels['verb'].lower()} {resource}"] += int(sample.value)
    return Reading(seconds, requests, sum(int(one.value) for one in _samples(cluster, "apiserver_terminated_watchers")))


def peak_memory_mib(cluster: Cluster) -> dict[str, float]:
    """Largest resident memory of each process since `forget_peaks`, in MiB."""
    return {name: _peak_kib(pid) / 1024 for name, pid in cluster.processes().items()}


def forget_peaks(cluster: Cluster) -> None:
    """Begin to look for peaks of memory anew."""
    for pid in cluster.processes().values():
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def api_server_cpu(cluster: Cluster) -> float:
    """CPU seconds of the API server so far."""
    return _cpu_seconds(cluster.processes()[API_SERVER])


def watchers(cluster: Cluster, resource: str) -> int:
    """How many watches of a resource the API server serves now."""
    samples = _samples(cluster, "apiserver_longrunning_requests")
    return sum(int(one.value) for one in samples if (one.labels["verb"], one.labels["resource"]) == ("WATCH", resource))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_kib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _samples(cluster: Cluster, name: str) -> list[Sample]:
    """What the API server's metrics whose names have this in them say now."""
    text = cluster.kubectl("get", "--raw", "/metrics")
    wanted = "\n".join(line for line in text.splitlines() if name in line)
    return [sample for family in text_string_to_metric_families(wanted + "\n") for sample in family.samples]
