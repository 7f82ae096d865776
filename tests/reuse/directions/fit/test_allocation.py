"""Ranks whose losses add up: are they cheap, and within the budget?"""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from mercuric.reuse.directions.fit.allocation import PARTS, Option, allocated


@st.composite
def layers(draw):
    found = {}
    for name in range(draw(st.integers(1, 4))):
        losses = sorted(draw(st.lists(st.floats(0, 10), max_size=4)))
        costs = sorted(draw(st.lists(st.floats(0.1, 9), min_size=len(losses), max_size=len(losses))))
        options = [Option(0, 0.0, 10.0)]
        options += [
            Option(rank, loss, cost)
            for rank, (loss, cost) in enumerate(zip(losses, reversed(costs), strict=True), 1)
        ]
        found[str(name)] = options
    return found


@given(layers(), st.floats(0, 20))
def test_the_budget_holds_and_no_allocation_of_less_loss_is_cheaper(options, budget):
    found = allocated(options, budget)
    assert list(found) == list(options)
    assert sum(option.loss for option in found.values()) <= budget * (1 + 1e-12)
    cost = sum(option.cost for option in found.values())
    for other in product(*options.values()):
        if sum(option.loss for option in other) <= budget * (1 - len(options) / PARTS):
            assert sum(option.cost for option in other) >= cost - 1e-9


@given(layers())
def test_more_budget_never_costs_more(options):
    costs = [
        sum(option.cost for option in allocated(options, budget).values()) for budget in (0.0, 1.0, 5.0, 50.0)
    ]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] <= sum(options[name][-1].cost for name in options) + 1e-9


def test_what_one_layer_loses_buys_another_ones_rank():
    steep = [Option(0, 0.0, 10.0), Option(8, 1.0, 5.0), Option(4, 5.0, 2.0)]
    flat = [Option(0, 0.0, 10.0), Option(8, 0.1, 5.0), Option(4, 0.2, 2.0)]
    found = allocated({"steep": steep, "flat": flat}, 0.5)
    assert [found["steep"].rank, found["flat"].rank] == [0, 4]
    assert [option.rank for option in allocated({"steep": steep, "flat": flat}, 5.3).values()] == [4, 4]
