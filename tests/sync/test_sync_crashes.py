"""Whatever is lost, repeated, killed or restored: in the end both sides have the same."""

import pytest

from aliquot_lab import Answer, ApiRequest, Cut, FaultProxy, Rule
from tests.crashes.aim import Aim
from tests.crashes.stage import tried
from tests.support.arena import PROJECTS
from tests.sync.meeting import REST_PROJECTS, ControlPlane, Meeting

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("sync crashes")]


def differences(meeting: Meeting) -> list[str]:
    """What one side has and the other has not."""
    filters = [f"clusterId=={meeting.cluster}"]
    shown = {
        each["name"]: each for each in meeting.admin.done("GET", REST_PROJECTS, filterBy=filters, limit=500)["projects"]
    }
    held = meeting.held(PROJECTS)
    found = [f"only one side has {name}" for name in shown.keys() ^ held.keys()]
    for name in shown.keys() & held.keys():
        said, status = shown[name], meeting.shown_project(name)["status"]
        quotas = {each["nodePool"]["name"]: each["gpu"]["deserved"] for each in said["resources"]}
        made = {each["nodepool"]: each["resources"]["gpu"]["deserved"] for each in held[name]["spec"]["queues"]}
        if quotas != made:
            found.append(f"{name} has {made}, not {quotas}")
        told = held[name].get("status", {})
        if (status["phase"], status["namespace"]) != ("Ready", told.get("namespace")) or told["phase"] != "Ready":
            found.append(f"{name} is shown as {status}, and is {told}")
    nodes = {each["name"] for each in meeting.admin.done("GET", f"/api/v1/clusters/{meeting.cluster}/nodes")["nodes"]}
    there = {each["metadata"]["name"] for each in meeting.lab.api.call("GET", "/api/v1/nodes")["items"]}
    return found + [f"only one side has node {name}" for name in nodes ^ there]


def until_equal(meeting: Meeting) -> None:
    meeting.until(tried(lambda: not differences(meeting)), f"both sides to have the same; now {differences(meeting)}")


def busy(meeting: Meeting, round_: int) -> None:
    """What administrators do: make, change and delete projects, and whoever adds and removes nodes."""
    for number in range(3):
        meeting.make_project(f"p-{round_}-{number}", deserved=number)
    meeting.set_quota(meeting.shown_project(f"p-{round_}-0"), 7)
    gone = meeting.shown_project(f"p-{round_}-1")
    meeting.admin.done("DELETE", f"{REST_PROJECTS}/{gone['id']}")
    meeting.some_nodes(f"{meeting.name}-{round_}")
    if round_:
        meeting.lab.remove_node(f"{meeting.name}-{round_ - 1}")


def test_what_is_cut_refused_or_lost_on_the_way_arrives_in_the_end(meeting: Meeting, way: FaultProxy) -> None:
    operator = meeting.connected(way)
    pages = "/cluster-sync/"
    way.add(
        Rule(Cut(after=True), path=f"{pages}.*reports", probability=0.25),
        Rule(Cut(), path=pages, probability=0.15),
        Rule(Answer(503, retry_after_seconds=1), path=pages, probability=0.1),
        Rule(Answer(409), path=f"{pages}.*reports", probability=0.1),
        Rule(Answer(500, after=True), path=pages, probability=0.1),
    )
    for round_ in range(4):
        busy(meeting, round_)
    until_equal(meeting)
    way.clear()
    busy(meeting, 4)
    until_equal(meeting)
    assert operator.probe("readyz") == (200, "ok")


@pytest.mark.parametrize("done", [False, True], ids=["the call is lost", "the call is carried out"])
@pytest.mark.parametrize("between", ["the control plane", "the API server"])
def test_both_sides_have_the_same_whichever_call_is_the_last(
    meeting: Meeting, way: FaultProxy, api_proxy: FaultProxy, between: str, done: bool
) -> None:
    operator = meeting.mortal_operator(api_proxy, meeting.settings(way))
    meeting.until(tried(lambda: meeting.state() == "Connected"), "the cluster to be connected")

    def about_the_sync(request: ApiRequest) -> bool:
        return request.path.startswith("/cluster-sync/") or (request.resource == "projects" and request.writes)

    aim = Aim(way if between == "the control plane" else api_proxy, operator, about_the_sync, done=done)
    struck = 0
    for nth in range(1, 7):
        aim.at(nth)
        busy(meeting, nth - 1)
        until_equal(meeting)
        struck += aim.struck is not None
    assert struck >= 3, "too few calls were struck"
    assert not operator.ended_by_itself, operator.process.log()[-4000:]


def test_a_control_plane_that_is_killed_again_and_again_has_everything_in_the_end(
    meeting: Meeting, control_plane: ControlPlane
) -> None:
    meeting.connected()
    for round_ in range(3):
        busy(meeting, round_)
        control_plane.kill()
        meeting.some_nodes(f"{meeting.name}-meanwhile-{round_}")
        control_plane.start()
    until_equal(meeting)


def test_a_database_that_is_restored_from_an_older_copy_is_followed(
    meeting: Meeting, control_plane: ControlPlane
) -> None:
    meeting.connected()
    project = meeting.make_project("team-a", deserved=1)
    meeting.until_ready("team-a")
    control_plane.kill()
    control_plane.copy("older")
    control_plane.start()
    meeting.set_quota(project, 9)
    meeting.make_project("team-b")
    meeting.some_nodes(f"{meeting.name}-later")
    until_equal(meeting)
    control_plane.kill()
    control_plane.restore("older")
    control_plane.start()
    meeting.make_project("team-c")
    until_equal(meeting)
    assert meeting.deserved("team-a") == 1
    assert set(meeting.held(PROJECTS)) == {"team-a", "team-c"}


def test_the_next_leader_goes_on(meeting: Meeting) -> None:
    first = meeting.connected()
    meeting.operator("second", settings=meeting.settings())
    busy(meeting, 0)
    until_equal(meeting)
    first.kill()
    busy(meeting, 1)
    until_equal(meeting)


def test_a_wrong_secret_disturbs_nothing_and_the_right_one_needs_no_restart(meeting: Meeting) -> None:
    right = meeting.secret
    meeting.secret = "wrong"
    operator = meeting.operator(settings=meeting.settings())
    meeting.until(lambda: "401" in operator.log(), "the log to say that it is refused")
    assert operator.probe("readyz") == (200, "ok")
    assert meeting.project("by-hand", deserved=1) == f"runai-{meeting.name}-by-hand"
    assert operator.log().count("cannot be spoken to") <= 2, "once for each way"
    meeting.secret = right
    meeting.settings()
    meeting.until(lambda: meeting.state() == "Connected", "the cluster to be connected")
    assert right not in operator.log()
