"""Which functions of PyTorch work on rows? Those that these modules name."""

from mercuric.reuse.equal import pointwise

__all__ = ["pointwise"]
