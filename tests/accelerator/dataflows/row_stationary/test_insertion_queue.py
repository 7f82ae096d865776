"""Queues of the MCACHE's sets: the recurrence, its definition and queues stepped cycle by cycle."""

import numpy as np
import pytest
from drawn_layers import by_position
from hypothesis import given
from hypothesis import strategies as st
from oracle.queue_stepper import step_queues

from mercuric.accelerator.dataflows.row_stationary.insertion_queue import Queueing
from mercuric.accelerator.dataflows.row_stationary.pe_sets import block_lengths
from mercuric.accelerator.dataflows.row_stationary.signature_queues import SignatureQueues

requests = st.lists(st.integers(0, 3), max_size=24)


def rounds(cache_sets: list[int], sets: int) -> list[list[int]]:
    order = by_position(len(cache_sets), sets)
    return [[cache_sets[v] for v in order[first : first + sets]] for first in range(0, len(order), sets)]


def asked(scopes: list[list[int]], sets: int, interval: int, capacity: int) -> SignatureQueues:
    cache_sets = np.array(scopes, dtype=np.int64).reshape(len(scopes), -1)
    return SignatureQueues(cache_sets, block_lengths(cache_sets.shape[1], sets), interval, capacity)


def queueing(cache_sets: list[int], sets: int, interval: int, capacity: int) -> tuple[int, int]:
    queued = Queueing.of(asked([cache_sets], sets, interval, capacity))
    return int(queued.waits[0]), int(queued.emptying[0])


@given(requests, st.integers(1, 7), st.integers(1, 5), st.integers(1, 4))
def test_the_stepper_and_the_definition(
    cache_sets: list[int], sets: int, interval: int, capacity: int
) -> None:
    queued = queueing(cache_sets, sets, interval, capacity)
    assert queued == step_queues(rounds(cache_sets, sets), interval, capacity)
    defined = Queueing.by_definition(asked([cache_sets], sets, interval, capacity))
    assert queued == (defined.waits[0], defined.emptying[0])


@given(requests, st.integers(1, 7), st.integers(1, 5), st.integers(1, 4))
def test_a_longer_queue_never_takes_longer(
    cache_sets: list[int], sets: int, interval: int, capacity: int
) -> None:
    shorter = sum(queueing(cache_sets, sets, interval, capacity))
    assert sum(queueing(cache_sets, sets, interval, capacity + 1)) <= shorter


@pytest.mark.parametrize(
    ("cache_sets", "capacity", "expected"),
    [
        ([0, 1, 2, 3], 1, (0, 1)),  # a request each: one cycle until all are served
        ([0, 0, 0, 0], 1, (3, 1)),  # one enters a cycle
        ([0, 0, 0, 0], 3, (1, 3)),
        ([0, 0, 0, 0], 9, (0, 4)),
        ([], 1, (0, 0)),
    ],
)
def test_four_signatures_at_the_same_time(
    cache_sets: list[int], capacity: int, expected: tuple[int, int]
) -> None:
    assert queueing(cache_sets, 4, 3, capacity) == expected


def test_requests_are_served_between_rounds() -> None:
    """Two PE sets, two rounds: the two requests of the first are gone three cycles later."""
    assert queueing([0] * 4, 2, interval=3, capacity=2) == (0, 2)
    assert queueing([0] * 4, 2, interval=1, capacity=2) == (1, 2)


def test_scopes_start_with_empty_queues() -> None:
    both = Queueing.of(asked([[0, 0], [0, 1]], 2, 3, 1))
    assert both.waits.tolist() == [1, 0]
    assert both.emptying.tolist() == [1, 1]
    assert both.stall == 3
