"""Which memory do compiled kernels write on that nobody reads afterwards?"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

_kept = threading.local()


def scratch(name: str, count: int, dtype: Any) -> NDArray[Any]:
    """Memory of the calling thread for ``count`` elements, until it asks by this name again.

    Fresh memory costs a page fault every 4 KiB; what is never written costs nothing.
    """
    held: NDArray[Any] | None = getattr(_kept, name, None)
    if held is None or held.dtype != dtype or len(held) < count:
        held = np.empty(count, dtype=dtype)
        setattr(_kept, name, held)
    return held[:count]
