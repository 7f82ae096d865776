"""Which ranks save multiplications?"""

PAYS = 0.9
"""Share of the dense multiplications over which directions are not worth their second product."""


def multiplications(vectors: int, filters: int, length: int, rank: int) -> tuple[int, int]:
    """Multiplications of a training step's three products in ``rank`` directions, and densely.

    The thin filters and their gradient are products with the basis as well.
    """
    thin = 3 * vectors * rank * length + 2 * vectors * rank * filters + 2 * rank * filters * length
    return thin, 3 * vectors * filters * length


def pays(vectors: int, filters: int, length: int, rank: int) -> bool:
    """Whether a training step in ``rank`` directions saves enough of them."""
    thin, dense = multiplications(vectors, filters, length, rank)
    return thin < PAYS * dense
