"""How long does the array wait for insertion queues, if every queue is stepped? (paper V)

The oracle of ``insertion_queue.py``.
"""

from collections import deque
from collections.abc import Sequence


def step_queues(rounds: Sequence[Sequence[int]], interval: int, capacity: int) -> tuple[int, int]:
    """Cycles that the array waits for room, and cycles from then until all queues are empty.

    Args:
        rounds: for each time that PE sets finish a signature together, the cache sets that they go to.
        interval: cycles from one round to the next, where nothing waits.
        capacity: requests that a queue holds.
    """
    queues: dict[int, deque[int]] = {cache_set: deque() for one in rounds for cache_set in one}
    held: list[int] = []
    upcoming = deque(rounds)
    until_next = waits = emptying = 0
    while upcoming or held or any(queues.values()):
        for queue in queues.values():  # each cache set serves one request a cycle
            if queue:
                queue.popleft()
        if held:
            waits += 1
        elif upcoming:
            until_next -= 1
        else:
            emptying += 1
        if not held and upcoming and until_next <= 0:
            held, until_next = list(upcoming.popleft()), interval
        refused = []
        for cache_set in held:
            if len(queues[cache_set]) < capacity:
                queues[cache_set].append(cache_set)
            else:
                refused.append(cache_set)
        held = refused
    return waits, emptying
