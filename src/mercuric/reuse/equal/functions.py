"""Which functions of PyTorch work on rows? Those that these modules name."""

from mercuric.reuse.equal import moves, pieces, pointwise, views

__all__ = ["moves", "pieces", "pointwise", "views"]
