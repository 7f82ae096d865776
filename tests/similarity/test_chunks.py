"""Does every index get to exactly one thread?"""

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.similarity import threads as threads_module
from mercuric.similarity.threads import over_chunks


@pytest.fixture(params=["PyTorch's team", "a pool"], autouse=True)
def _workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "a pool":
        monkeypatch.setattr(threads_module, "_team", lambda: None)
    elif threads_module._team() is None:
        pytest.skip("this PyTorch brings no OpenMP library of its own")


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


def test_operations_of_pytorch_run_within_a_chunk() -> None:
    given, found = torch.randn(4, 64, 64), torch.empty(4, 64, 64)

    def kernel(first: int, last: int) -> None:
        for place in range(first, last):
            torch.mm(given[place], given[place], out=found[place])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 4)
        for _ in range(20):
            over_chunks(kernel, 4)
    torch.testing.assert_close(found, given @ given)


def test_chunks_of_several_callers_do_not_mix() -> None:
    totals = [0] * 8

    def call(place: int) -> None:
        seen: list[int] = []
        for _ in range(50):
            over_chunks(lambda first, last: seen.extend(range(first, last)), 10)
        totals[place] = len(seen)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 3)
        callers = [threading.Thread(target=call, args=(place,)) for place in range(len(totals))]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert totals == [500] * 8
