"""Which functions of PyTorch work on rows? Those that these modules name."""

from mercuric.reuse.equal import (
    dropout,
    factories,
    fallback,
    joins,
    moves,
    normalisation,
    pieces,
    pointwise,
    pooling,
    products,
    reductions,
    views,
)

__all__ = [
    "dropout",
    "factories",
    "fallback",
    "joins",
    "moves",
    "normalisation",
    "pieces",
    "pointwise",
    "pooling",
    "products",
    "reductions",
    "views",
]
