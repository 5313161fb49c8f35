"""Which order follows from what somebody asks for, and what is left when a cluster says what became of it. Pure.

    asked      nothing waits          create waits                suspend or resume waits      delete waits
    suspend    suspend                create, suspended           suspend                      refused
    resume     resume                 create                      resume                       refused
    delete     delete                 delete                      delete                       as it is

The cluster may have carried out the order that waits and not have said so: so another one always takes its place, also
where the two cancel out. Each has a number, and what a cluster says of an earlier one says nothing of the last.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from aliquot.contracts.administrator_api.submissions import DesiredPhase
from aliquot.contracts.cluster_orders import Outcome, Verb
from aliquot.controlplane.refusals import Conflict

Asked = Literal["suspend", "resume", "delete"]
_PHASES: Final[dict[Asked, DesiredPhase]] = {"suspend": "Stopped", "resume": "Running", "delete": "Deleted"}


@dataclass(frozen=True, slots=True)
class State:
    """Where a submission is.

    Attributes:
        desired: how the workload is to be.
        verb: what its cluster is to do; None: nothing that it has not done.
        number: of the last order.
        is_made: whether the cluster has told of the workload.
        has_failed: whether it never will be made.
        is_over: whether there is no workload any more, as nobody has to tell.
    """

    desired: DesiredPhase
    verb: Verb | None
    number: int
    is_made: bool = False
    has_failed: bool = False
    is_over: bool = False


def asked(state: State, verb: Asked) -> State:
    """What becomes of a submission when somebody asks for something.

    Raises:
        Conflict: that is not possible any more.
    """
    if verb != "delete" and state.desired == "Deleted":
        raise Conflict("The workload is being deleted.")
    if verb != "delete" and state.has_failed:
        raise Conflict("The workload was never made: delete it, and submit another.")
    if verb == "delete" and state.has_failed:
        return replace(state, desired="Deleted", is_over=True)
    desired = _PHASES[verb]
    if state.verb == verb or (state.verb == "create" and state.desired == desired):
        return replace(state, desired=desired)
    ordered: Verb = "create" if state.verb == "create" and verb != "delete" else verb
    return replace(state, desired=desired, verb=ordered, number=state.number + 1)


def told(state: State, number: int, outcome: Outcome, *, is_stopped: bool) -> State | None:
    """What becomes of a submission when its cluster says what became of an order.

    Args:
        state: where it is.
        number: of the order.
        outcome: what became of it.
        is_stopped: whether the workload is suspended, as its cluster says.

    Returns:
        It; None: the order is not the one that waits.
    """
    if state.verb is None or number != state.number:
        return None
    if outcome == "Done":
        return replace(state, verb=None, is_over=state.verb == "delete" and not state.is_made)
    if state.verb == "create":
        return replace(state, verb=None, has_failed=True)
    return replace(state, verb=None, desired="Stopped" if is_stopped else "Running")


def without_project(state: State) -> State:
    """What becomes of a submission whose project is deleted: what was made stays, all else never will be."""
    if state.is_made or state.verb is None:
        return state
    if state.desired == "Deleted":
        return replace(state, verb=None, is_over=True)
    return replace(state, verb=None, has_failed=True)
