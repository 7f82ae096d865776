"""Does every index get to exactly one thread?"""

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.similarity.threads import over_chunks


def chunks(count: int, threads: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: threads)
        over_chunks(lambda first, last, log: log.append((first, last)), count, seen)
    return sorted(seen)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 100), st.integers(1, 9))
def test_chunks_cover_the_range_once(count: int, threads: int) -> None:
    found = chunks(count, threads)
    assert [index for first, last in found for index in range(first, last)] == list(range(count))
    assert len(found) == max(1, min(count, threads))
    sizes = [last - first for first, last in found]
    assert max(sizes) - min(sizes) <= 1


def test_chunks_run_side_by_side() -> None:
    meeting = threading.Barrier(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 3)
        over_chunks(lambda _first, _last: meeting.wait(timeout=600) and None, 3)
    assert not meeting.broken


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_exception_in_any_thread_reaches_the_caller(failing: int) -> None:
    def kernel(first: int, _last: int) -> None:
        if first == failing:
            raise ArithmeticError("overflow")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 3)
        with pytest.raises(ArithmeticError, match="overflow"):
            over_chunks(kernel, 3)
