"""Is a model's next pass looked at, after what looks have gained so far?"""

from collections import deque
from statistics import median

from mercuric.reuse.equal.pass_record import PassRecord

_LONGEST = 63  # passes without a look after one that gained nothing, and passes between timed dense ones
_FEW, _LATEST = 3, 5  # whole passes that are compared: so many at least, so many at most


class Patience:
    """How many passes of a kind are not looked at, after looks that gained nothing: twice as many each time.

    A look gains nothing where layers lose by it, as they were measured one by one. Where whole passes can be
    timed, as those without gradients can, it also gains nothing where passes with a look take longer than
    dense ones: what lies between layers, and what one leaves in the caches for the next, is in no layer's
    time. A few dense passes are run for that between the first ones with a look, and one in 64 later.
    """

    def __init__(self) -> None:
        self._left = self._wait = 0
        self._since = 0  # passes with a look since the last dense one
        self._seconds: dict[bool, deque[float]] = {looked: deque(maxlen=_LATEST) for looked in (True, False)}

    @property
    def looks(self) -> bool:
        """Whether the next pass is looked at."""
        return self._left == 0

    @property
    def why_not(self) -> str:
        """The reason, where it is not."""
        if self._wait:
            return "nothing was gained when the input was last looked at"
        return "dense passes are timed now and then"

    def learn(self, record: PassRecord, seconds: float | None = None) -> None:
        """Follow a pass.

        Args:
            record: of the pass.
            seconds: that it took for a number of its input; None where its backward pass is still to come.
        """
        if seconds is not None:
            self._seconds[record.looked].append(seconds)
        if not record.looked:
            self._left, self._since = self._left - 1, 0
        elif not record.paid or self._is_slower():
            self._left = self._wait = min(2 * self._wait + 1, _LONGEST)
        else:
            self._wait, self._since = 0, self._since + 1
            if seconds is not None and self._is_dense_due():
                self._left = 1

    def _is_slower(self) -> bool:
        looked, dense = self._seconds[True], self._seconds[False]
        return min(len(looked), len(dense)) >= _FEW and median(looked) > median(dense)

    def _is_dense_due(self) -> bool:
        return len(self._seconds[False]) < _FEW or self._since >= _LONGEST
