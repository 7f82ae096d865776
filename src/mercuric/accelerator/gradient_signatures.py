"""Does dO pay for signatures of its gradient vectors? (paper III-C2)"""

from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.observation import ObservedProduct


def signs_gradient(accelerator: Accelerator, product: ObservedProduct, reloaded: bool | None) -> bool:
    """Whether signatures are computed for a layer's dO.

    Args:
        accelerator: whose ``gradient_signatures`` say it.
        product: by whose Hitmap dO goes: that of the forward pass, or the gradient vectors' own.
        reloaded: whether the following layer's signatures serve the gradient vectors; None: not known.

    Raises:
        ValueError: it depends on ``reloaded``, which isn't known.
    """
    charged = accelerator.gradient_signatures
    if charged in ("free", "compute"):
        return charged == "compute"
    if charged == "needed":
        return product == "input_gradient" and not reloaded
    if reloaded is None:
        raise ArgumentError(
            f"gradient_signatures of accelerator {accelerator.name!r} was {charged!r}, but must be 'needed', "
            "'free' or 'compute': nothing says here which layers' gradients the following layer's "
            "signatures serve"
        )
    return not reloaded
