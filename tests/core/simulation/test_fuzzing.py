"""Documents at random: those that can exist are simulated, those that somebody has spoilt are simulated or refused.

`ALIQUOT_FUZZ=50000` tries so many of each.
"""

import os
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliquot.core.scheduling import ClusterState, check, decide
from aliquot.core.simulation import SimulationError, document_from, load, simulate, world_of
from aliquot.core.simulation.jobs import NOW
from aliquot.core.simulation.rounds import begin, carry_out
from tests.core.simulation.documents import document, spoilt, spoilt_text

EXAMPLES: Final = int(os.environ.get("ALIQUOT_FUZZ", "150"))
SEEDS: Final = st.integers(0, 1 << 40)

fuzz = settings(deadline=None, max_examples=EXAMPLES)
pytestmark = pytest.mark.timeout(300 if EXAMPLES <= 1000 else 0)


@given(SEEDS)
@fuzz
def test_what_can_exist_is_simulated_and_its_books_are_right(seed: int) -> None:
    world = world_of(document_from(document(seed, parts=seed % 2 == 0)))
    state = ClusterState.rebuild(world.events)
    for _ in range(3):
        plan = decide(state, NOW, world.settings)
        assert check(state, plan) == []
        begin(state, plan)
        assert check(state) == []
        carry_out(state, world.lingering)
        assert check(state) == []


@given(SEEDS)
@fuzz
def test_parts_of_devices_are_simulated(seed: int) -> None:
    simulate(document_from(document(seed, parts=True)), 3)


@given(SEEDS)
@fuzz
def test_what_is_spoilt_is_simulated_or_refused_with_paths(seed: int) -> None:
    refused = None
    try:
        simulate(document_from(spoilt(seed)), 2)
    except SimulationError as error:
        refused = error
    assert refused is None or (str(refused) and all(problem.field for problem in refused.problems))


@given(SEEDS)
@fuzz
def test_a_spoilt_text_is_simulated_or_refused_with_paths(seed: int) -> None:
    refused = None
    try:
        simulate(load(spoilt_text(seed)))
    except SimulationError as error:
        refused = error
    assert refused is None or (str(refused) and all(problem.field for problem in refused.problems))
