"""Runs a test bench on a circuit in Amaranth's simulator."""

from collections.abc import Awaitable, Callable

from amaranth.lib.wiring import Component
from amaranth.sim import Simulator


def run(circuit: Component, bench: Callable[..., Awaitable[None]]) -> None:
    simulator = Simulator(circuit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
