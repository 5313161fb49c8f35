"""What may be stopped, as the state keeps it up to date."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.quantities import Request
from aliquot.core.scheduling import ClusterState, TaskRemoved
from aliquot.core.scheduling.state.units import Unit
from tests.core.scheduling.test_scheduling_properties import happenings, slow, worlds
from tests.core.scheduling.world import World, request_of


def offered(state: ClusterState, pool: str, queue: str) -> tuple[list[object], dict[str, list[int]]]:
    """The units in order and the room that they make, without the numbers of rows."""
    nodes, there = state.pool(pool).nodes, state.units(pool, queue)
    names = {row: name for name, row in nodes.row.items()}
    units = [
        (
            unit.job,
            unit.queue,
            [task.id for task in unit.tasks],
            [names[row] for row in unit.rows],
            unit.total,
            {names[row]: room for row, room in unit.on.items()},
            [(names[row], task.id) for row, task in unit.parts],
        )
        for unit in there.units
    ]
    return list(units), {
        names[row]: there.room[row].tolist() for row in np.flatnonzero(there.room.any(axis=1)).tolist()
    }


@slow
@given(st.data())
def test_what_may_be_stopped_is_the_same_as_from_the_facts_alone(data: st.DataObject) -> None:
    world = data.draw(worlds(foreign=True))
    state = ClusterState()
    for event in [*world.facts, *data.draw(happenings(world))]:
        state.apply(event)
        if data.draw(st.booleans()):
            continue
        anew = ClusterState.rebuild(state.facts())
        for pool, queue in state.queue_names():
            assert offered(state, pool, queue) == offered(anew, pool, queue), event


def _tasks(units: list[Unit]) -> list[list[str]]:
    return [[task.id for task in unit.tasks] for unit in units]


def test_room_is_counted_anew_when_a_resource_is_new_or_nodes_are() -> None:
    state = World().node("n1", gpus=4).queue("a").job("x", "a", 1, on="n1").state()
    assert state.units("default", "a").room.tolist()[0] == [100, 1000, 1 << 30, 1]
    special = Request(request_of(1).base, extended=(("example.com/fpga", 2),))
    for event in World().job("y", "a", asks=special, on="n1", created=1).facts:
        state.apply(event)
    there = state.units("default", "a")
    assert _tasks(there.units) == [["y"], ["x"]]
    assert there.room.tolist()[0] == [200, 2000, 2 << 30, 2, 2]
    for number in range(40):
        for event in World().node(f"m{number}", gpus=1).facts:
            state.apply(event)
    assert state.units("default", "a").room.shape == state.pool("default").nodes.allocatable.shape


def test_those_who_are_not_there_any_more_make_no_room() -> None:
    state = World().node("n1", gpus=4).queue("a").job("x", "a", 1, on="n1").job("y", "a", 2, on="n1", created=1).state()
    assert _tasks(state.units("default", "a").units) == [["y"], ["x"]]
    state.apply(TaskRemoved("y"))
    assert _tasks(state.units("default", "a").units) == [["x"]]
    state.apply(TaskRemoved("x"))
    assert state.units("default", "a").units == []
    assert not state.units("default", "a").room.any()


def test_a_queue_that_nobody_asked_for_in_a_long_time_is_right_all_the_same() -> None:
    state = World().node("n1", gpus=1).queue("a").job("first", "a", 0, on="n1").state()
    assert _tasks(state.units("default", "a").units) == [["first"]]
    for number in range(1100):
        for event in World().job(f"j{number}", "a", 0, on="n1", created=1 + number).facts:
            state.apply(event)
        if number < 1098:
            state.apply(TaskRemoved(f"j{number}"))
    assert _tasks(state.units("default", "a").units) == [["j1099"], ["j1098"], ["first"]]
