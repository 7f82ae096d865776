"""Which functions of PyTorch work on rows? Those that these modules name."""

from mercuric.reuse.equal import (
    dropout,
    factories,
    joins,
    normalisation,
    pointwise,
    pooling,
    reductions,
)

__all__ = ["dropout", "factories", "joins", "normalisation", "pointwise", "pooling", "reductions"]
