"""An operator that is killed at each call in turn that the first part of a GPU and the end of its last sharer cost."""

import pytest

from aliquot_lab import ApiRequest, FaultProxy
from tests.crashes.aim import Aim
from tests.crashes.stage import Stage, tried
from tests.crashes.test_killed_while_sharing import holders, shared

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

FEWEST = 4
"""The pod, the pod that holds the GPU, the binding, and the deletion of that pod."""


def is_about_pods(request: ApiRequest) -> bool:
    return request.resource.partition("/")[0] == "pods" and request.verb not in ("list", "watch")


@pytest.mark.parametrize("done", [False, True], ids=["the call is lost", "the call is carried out"])
def test_a_part_is_given_and_taken_back_whichever_call_is_the_last(stage: Stage, proxy: FaultProxy, done: bool) -> None:
    stage.nodes(1, gpus=1)
    operator = stage.mortal_operator(proxy)
    namespace = stage.project("a", deserved=1)
    aim = Aim(proxy, operator, is_about_pods, done=done)
    struck: list[ApiRequest] = []
    while True:
        aim.at(len(struck) + 1)
        name = f"half-{len(struck)}"
        stage.submit(namespace, name, gpu="0.5")
        stage.until(tried(lambda: len(shared(stage, namespace)) == 1), f"the part to be given after {struck}")
        stage.end(namespace, name)
        stage.until(tried(lambda: not holders(stage)), f"the GPU to be free after {struck}")
        stage.until(tried(lambda name=name: stage.status(namespace, name).get("phase") == "Completed"), "its end")
        assert stage.status(namespace, name).get("failedPods", 0) == 0
        stage.delete(stage.path(namespace, name))
        stage.until(tried(lambda: not stage.pods(namespace)), "its pod to be gone")
        if aim.struck is None:
            break
        struck.append(aim.struck)
    assert not operator.ended_by_itself, operator.process.log()[-4000:]
    assert len(struck) >= FEWEST
    assert {request.verb for request in struck} >= {"create", "delete"}
    assert "pods/binding" in {request.resource for request in struck}
