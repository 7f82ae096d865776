"""How does MosaicML Composer factorise a network before its training?"""

from torch import nn

from mercuric.reuse.directions.factors import Product, decompose_, products
from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit

LEAST = 256
"""Channels or features, in and out, under which a layer stays: ``min_channels``, ``min_features``."""
LATENT = 0.25
"""Of a convolution: the share of the smaller of its channels in and out (``latent_channels``)."""
LATENT_FEATURES = 128
"""Of a fully connected layer."""


class Factorize(Form):
    """Layers of many channels are two from the first step on, both trained; its defaults."""

    name = "factorize"
    shown = "Factorize"
    source = (
        "MosaicML Composer's Factorize, which says of itself that it never helped; the layout is that of "
        "Zhang and others (TPAMI 2016)"
    )

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        self.learner(ground, 0)
        return (Stage("factorised"),)

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        network = ground.build()
        wanted = {name: rank for name, layer in products(network) if (rank := latent(layer)) is not None}
        if not decompose_(network, wanted):
            raise Unfit(
                f"no layer of {ground.network} has {LEAST} channels in and out, which Factorize asks for"
            )
        return Learner(network)


def latent(layer: Product) -> int | None:
    """The rank that a layer gets by default; None: it stays."""
    if isinstance(layer, nn.Linear):
        return LATENT_FEATURES if min(layer.in_features, layer.out_features) >= LEAST else None
    smaller = min(layer.in_channels, layer.out_channels)
    return max(1, int(LATENT * smaller)) if smaller >= LEAST else None
