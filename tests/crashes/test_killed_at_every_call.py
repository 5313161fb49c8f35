"""An operator that is killed at each call in turn that the first part of a GPU and the end of its last sharer cost."""

import pytest

from aliquot_lab import Act, ApiRequest, Cut, FaultProxy, Rule
from tests.crashes.stage import MortalOperator, Stage, tried
from tests.crashes.test_killed_while_sharing import holders, shared

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

FEWEST = 4
"""The pod, the pod that holds the GPU, the binding, and the deletion of that pod."""


class Aim:
    """Kills an operator at the n-th call about pods from now on, and at no other.

    Args:
        proxy: the way of its calls.
        victim: the operator.
        done: whether that call is carried out, and only its answer is lost.
    """

    def __init__(self, proxy: FaultProxy, victim: MortalOperator, *, done: bool) -> None:
        self.struck: ApiRequest | None = None
        self._left = 0
        proxy.add(
            Rule(Act(lambda _: victim.kill(), after=done), when=self._strikes),
            Rule(Cut(after=done), when=lambda request: request is self.struck),
        )

    def at(self, nth: int) -> None:
        """Begin to count anew."""
        self.struck, self._left = None, nth

    def _strikes(self, request: ApiRequest) -> bool:
        about_pods = request.resource.partition("/")[0] == "pods" and request.verb not in ("list", "watch")
        if self.struck is None and about_pods:
            self._left -= 1
            if self._left == 0:
                self.struck = request
        return request is self.struck


@pytest.mark.parametrize("done", [False, True], ids=["the call is lost", "the call is carried out"])
def test_a_part_is_given_and_taken_back_whichever_call_is_the_last(stage: Stage, proxy: FaultProxy, done: bool) -> None:
    stage.nodes(1, gpus=1)
    operator = stage.mortal_operator(proxy)
    namespace = stage.project("a", deserved=1)
    aim = Aim(proxy, operator, done=done)
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
