"""Which memory do compiled kernels write on that nobody reads afterwards?"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

_kept: dict[tuple[int, str], NDArray[Any]] = {}


def scratch(name: str, count: int, dtype: Any) -> NDArray[Any]:
    """Memory of the calling thread for ``count`` elements, until it asks by this name again.

    Fresh memory costs a page fault every 4 KiB; what is never written costs nothing. It is kept by the number
    that the system gives the thread: for Python, one of OpenMP's is another thread each time it comes.
    """
    key = threading.get_ident(), name
    held = _kept.get(key)
    if held is None or held.dtype != dtype or len(held) < count:
        held = _kept[key] = np.empty(count, dtype=dtype)
    return held[:count]
