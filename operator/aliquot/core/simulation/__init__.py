"""Clusters written down: read them, run the decision core on them, and write the live state down (simulation.md).

`simulate(load(text))` is what `aliquot simulate` does, `plain(document_of(state, …))` the way back. Pure.
"""

from aliquot.core.simulation.dump import document_of, plain
from aliquot.core.simulation.loading import document_from, load
from aliquot.core.simulation.problems import SimulationError
from aliquot.core.simulation.rounds import simulate
from aliquot.core.simulation.world import World, world_of

__all__ = ["SimulationError", "World", "document_from", "document_of", "load", "plain", "simulate", "world_of"]
