"""A change of a knob as a block of its own: its event, and no rows.

The next rows of a paused run may be far away, or never come. Where these blocks lie among the
others follows from the control log alone, so a retry counts its steps as the lost attempt did.
"""

from tiering.model.block import Block
from tiering.simulation.loop import Simulation


def change_block(simulation: Simulation, step: int) -> Block:
    """Takes the event of the change just made out of the simulation."""
    events, simulation.events = simulation.events, []
    return Block(step, 0, b"", events)
