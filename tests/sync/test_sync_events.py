"""What Kubernetes says of workloads is seen over REST: of their pods, of what is between, and after their end."""

from typing import Any, Final

import pytest

from aliquot.clock import SystemClock, timestamp
from tests.sync.meeting import Meeting
from tests.sync.test_sync_workloads import DEPLOYMENTS, NAMESPACE, WORKLOADS, a_project, until_shown

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("sync crashes")]

EVENTS: Final = f"/api/v1/namespaces/{NAMESPACE}/events"


def shown_events(meeting: Meeting, workload: str) -> list[dict[str, Any]]:
    return meeting.admin.done("GET", f"{WORKLOADS}/{workload}/events", limit=500)["events"]


def named(meeting: Meeting, workload: str, reason: str) -> list[dict[str, Any]]:
    return [each for each in shown_events(meeting, workload) if each["reason"] == reason]


def say(meeting: Meeting, pod: dict[str, Any], reason: str, count: int = 1) -> None:
    """Record an Event as a kubelet does, or that it was repeated."""
    metadata = pod["metadata"]
    name = f"{metadata['name']}.{reason.lower()}"
    now = timestamp(SystemClock().now())
    if count > 1:
        meeting.patch(f"{EVENTS}/{name}", {"count": count, "lastTimestamp": now})
        return
    involved = {name: metadata[name] for name in ("name", "namespace", "uid")}
    meeting.lab.api.call(
        "POST",
        EVENTS,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **involved},
            "reason": reason,
            "message": f"it is {reason}",
            "type": "Warning",
            "source": {"component": "kubelet", "host": "gpu-1"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        },
    )


def test_what_a_kubelet_says_of_a_pod_is_seen_also_how_often_and_after_the_pods_end(meeting: Meeting) -> None:
    meeting.connected()
    a_project(meeting)
    meeting.submit(NAMESPACE, "first")
    shown = until_shown(meeting, "first", "Running")
    pod = meeting.only_pod(NAMESPACE, "first", phase="Running")
    say(meeting, pod, "FailedMount")
    [told] = meeting.until(lambda: named(meeting, shown["id"], "FailedMount"), "what the kubelet says")
    assert (told["source"], told["type"], told["count"]) == ("kubelet", "Warning", 1)
    assert told["involvedObject"]["uid"] == pod["metadata"]["uid"]
    say(meeting, pod, "FailedMount", count=9)
    say(meeting, pod, "Unhealthy")
    meeting.until(lambda: named(meeting, shown["id"], "Unhealthy"), "what it says next")
    [again] = meeting.until(
        lambda: [each for each in named(meeting, shown["id"], "FailedMount") if each["count"] == 9],
        "how often it was said",
    )
    assert again["id"] == told["id"]
    records = meeting.admin.done("GET", f"{WORKLOADS}/{shown['id']}/history", limit=500)["records"]
    of_events = [each["spec"]["event"] for each in records if each["meta"]["type"] == "Event"]
    assert [each["count"] for each in of_events if each["reason"] == "FailedMount"] == [9]
    meeting.delete(meeting.path(NAMESPACE, "first"))
    meeting.until(lambda: not meeting.pods(NAMESPACE), "the pod to be gone")
    say(meeting, pod, "Killing")
    meeting.until(lambda: named(meeting, shown["id"], "Killing"), "what is said of it afterwards")


def test_what_controllers_say_of_what_is_between_a_workload_and_its_pods_is_seen(meeting: Meeting) -> None:
    meeting.connected()
    a_project(meeting)
    template = {
        "metadata": {"labels": {"app": "web", "priorityClassName": "train"}},
        "spec": {"schedulerName": "runai-scheduler", "containers": [{"name": "main", "image": "x"}]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    made = meeting.lab.api.call(
        "POST",
        DEPLOYMENTS,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
    )
    until_shown(meeting, "web", "Running")
    uid = made["metadata"]["uid"]
    [scaled] = meeting.until(lambda: named(meeting, uid, "ScalingReplicaSet"), "what is said of the Deployment")
    assert (scaled["source"], scaled["involvedObject"]["kind"]) == ("deployment-controller", "Deployment")
    [of_set] = meeting.until(lambda: named(meeting, uid, "SuccessfulCreate"), "what is said of its ReplicaSet")
    assert (of_set["source"], of_set["involvedObject"]["kind"]) == ("replicaset-controller", "ReplicaSet")
    meeting.delete(f"{DEPLOYMENTS}/web")
    meeting.until(lambda: not meeting.pods(NAMESPACE), "its pod to go")


def test_what_is_said_while_nobody_leads_is_told_by_the_next_leader(meeting: Meeting) -> None:
    operator = meeting.connected()
    a_project(meeting)
    for name in ("stays", "goes"):
        meeting.submit(NAMESPACE, name)
    shown = {name: until_shown(meeting, name, "Running")["id"] for name in ("stays", "goes")}
    pods = {name: meeting.only_pod(NAMESPACE, name, phase="Running") for name in shown}
    operator.kill()
    for pod in pods.values():
        say(meeting, pod, "BackOff")
    meeting.delete(meeting.path(NAMESPACE, "goes"))
    uid = pods["goes"]["metadata"]["uid"]
    meeting.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pods['goes']['metadata']['name']}")
    meeting.until(lambda: all(each["metadata"]["uid"] != uid for each in meeting.pods(NAMESPACE)), "the pod to be gone")
    meeting.connected(name="second")
    meeting.until(lambda: named(meeting, shown["stays"], "BackOff"), "what was said of the pod that is there")
    meeting.until(lambda: named(meeting, shown["goes"], "BackOff"), "what was said of the pod that is gone")
