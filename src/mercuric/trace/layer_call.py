"""What did one layer do on one batch?"""

from dataclasses import dataclass

from torch import Tensor

from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.observation import Observation, ObservedProduct
from mercuric.trace.work import Work, observed_work

DENSE = "dense"


@dataclass(frozen=True)
class LayerCall:
    """One product of one layer on one batch, ready to be counted or saved.

    Attributes:
        layer: the layer's name in its network.
        work: its input vectors and their Hitmap.
        needs_input_gradient: whether training has a dO product by this Hitmap.
        product: ``"forward"``, or ``"input_gradient"`` for gradient vectors (paper III-C2).
        zero: bool, (scopes, vectors): which vectors are all zeros; None where that isn't known.
        input_shape: of the layer's input tensor; None where that isn't known.
        is_product: whether no layer makes it: a product in a module's forward pass, counted without reuse.
    """

    layer: str
    work: Work
    needs_input_gradient: bool = True
    product: ObservedProduct = "forward"
    zero: Tensor | None = None
    input_shape: tuple[int, ...] | None = None
    is_product: bool = False

    @property
    def kind(self) -> str:
        """What tables say: the layer's kind, or ``"dense"`` for a product that no layer makes."""
        return DENSE if self.is_product else self.work.kind


def observed_call(
    observation: Observation,
    accelerator: Accelerator,
    needs_input_gradient: bool,
    input_shape: tuple[int, ...] | None = None,
) -> LayerCall:
    """The call that a reuse layer told of.

    Raises:
        ValueError: the observation's Hitmap does not fit its shape.
    """
    work = observed_work(observation, accelerator)
    return LayerCall(
        observation.layer, work, needs_input_gradient, observation.product, observation.zero, input_shape
    )
