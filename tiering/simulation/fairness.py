"""How much slower processes are than on a machine that is all top tier, and how evenly
(docs/model.md#slowdown-and-fairness)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.shares import REFUSED_SO_FAR
from tiering.simulation.build import World
from tiering.simulation.classes import classes_in_use, groups, shows_classes
from tiering.simulation.scenario import FOLIOS_PER_MIB

if TYPE_CHECKING:
    from tiering.simulation.loop import Simulation


def idle_ns(world: World) -> NDArray[np.float64]:
    """f64[P] time of an access of each process with all memory on an idle top tier."""
    nearest = float(world.nodes.idle_ns[world.top_tier].min())
    each: NDArray[np.float64] = (world.fixed_ns + nearest) / world.outstanding
    return each


def slowdowns(sim: "Simulation") -> NDArray[np.float64]:
    """f64[P] 1 where a process was as fast as with all memory on an idle top tier; NaN for one that
    has made no access."""
    world, flow = sim.world, sim.progress.flow
    each_ns = idle_ns(world)
    done = np.minimum(flow.tau, world.work)
    ran = sim.population.ran_ns(sim.time_ns)
    made = done > 0
    return np.where(made, ran / np.where(made, done * each_ns, 1.0), np.nan)


def jain(slowdown: NDArray[np.float64]) -> float | None:
    """Jain's index of the speeds, 1 / slowdown: 1 = all alike, 1/n = one has everything."""
    speed = 1.0 / slowdown[np.isfinite(slowdown)]
    if not speed.size:
        return None
    total, squares = float(np.cumsum(speed)[-1]), float(np.cumsum(speed * speed)[-1])
    return total * total / (speed.size * squares)


def fairness(sim: "Simulation", most: int) -> dict[str, Any]:
    """Figures of the run: slowdown of each of the first `most` processes, Jain's index, and of each
    class where there is any."""
    slowdown = slowdowns(sim)
    names = [mm.name for mm in sim.world.mms][:most]
    of_mm = [float(one) if np.isfinite(one) else None for one in slowdown[:most]]
    figures: dict[str, Any] = {
        "mm_slowdown": dict(zip(names, of_mm, strict=True)),
        "jain_index": jain(slowdown),
    }
    if shows_classes(sim.scenario):
        figures["classes"] = _by_class(sim, slowdown)
    return figures


def _by_class(sim: "Simulation", slowdown: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """Processes of each class, what they hold on the top tier and what was promoted of them at the
    end, folios that the class was refused, and their mean slowdown."""
    group, rates = groups(sim.scenario), sim.world.rates
    refused = sim.world.shares.of[:, REFUSED_SO_FAR]
    memory, top = sim.world.memory, sim.world.top_tier
    pages = np.concatenate([[0], np.cumsum(memory.pages * memory.resident[:, top].sum(axis=1))])
    held = pages[rates.row_at + rates.nr_rows] - pages[rates.row_at]
    found = {}
    for c, name in enumerate(classes_in_use(sim.scenario)):
        slow = slowdown[(group == c) & np.isfinite(slowdown)]
        found[name] = {
            "processes": int((group == c).sum()),
            "top_tier_mib": int(held[group == c].sum()) / FOLIOS_PER_MIB,
            "promoted_mib": int(sim.queue.books.moved[group == c].sum()) / FOLIOS_PER_MIB,
            "refused": int(refused[c]) if refused.size else 0,
            "mean_slowdown": float(np.cumsum(slow)[-1]) / slow.size if slow.size else None,
        }
    return found
