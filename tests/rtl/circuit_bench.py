"""Runs test benches on a circuit in Amaranth's simulator, for which it is elaborated once."""

from collections.abc import Awaitable, Callable
from functools import lru_cache

from amaranth.lib.wiring import Component
from amaranth.sim import Simulator

Bench = Callable[..., Awaitable[None]]


class Simulation:
    """A circuit on which one bench runs after the other, each from the reset state on."""

    def __init__(self, circuit: Component) -> None:
        self.circuit = circuit
        self._simulator: Simulator | None = None

    def run(self, bench: Bench) -> None:
        self._bench = bench
        simulator, self._simulator = self._simulator, None  # one whose bench fails is not used again
        if simulator is None:
            simulator = Simulator(self.circuit)
            simulator.add_clock(1e-6)
            simulator.add_testbench(self._run)
        else:
            simulator.reset()
        simulator.run()
        self._simulator = simulator

    async def _run(self, ctx) -> None:
        await self._bench(ctx)


@lru_cache(maxsize=64)
def simulation(kind: Callable[..., Component], *sizes: object) -> Simulation:
    """Of ``kind(*sizes)``; elaborating takes longer than a small bench."""
    return Simulation(kind(*sizes))


def run(circuit: Component, bench: Bench) -> None:
    Simulation(circuit).run(bench)
