"""What did one layer do on one batch?"""

from dataclasses import dataclass, replace

from torch import Tensor

from mercuric.reuse.observation import Observation, ObservedProduct
from mercuric.similarity import MCache
from mercuric.trace.work import Work, observed_work
from mercuric.trace.workload import Workload

DENSE = "dense"


@dataclass(frozen=True)
class LayerCall:
    """One product of one layer on one batch, ready to be counted or saved.

    Attributes:
        layer: the layer's name in its network.
        work: its input vectors and their Hitmap.
        needs_input_gradient: whether training has a dO product by this Hitmap.
        product: ``"forward"``, or ``"input_gradient"`` for gradient vectors (paper III-C2).
        reloaded: whether the signatures that the following layer saved serve the layer's gradient vectors
            (paper III-C2); None where that isn't known.
        zero: bool, (scopes, vectors): which vectors are all zeros; None where that isn't known.
        input_shape: of the layer's input tensor; None where that isn't known.
        is_product: whether no layer makes it: a product in a module's forward pass, counted without reuse.
        observation: what the reuse layer told, its signatures too, which no file keeps; None for any other.
        workload: the dense product, with the words that it reads; None where nobody said it.
    """

    layer: str
    work: Work
    needs_input_gradient: bool = True
    product: ObservedProduct = "forward"
    zero: Tensor | None = None
    input_shape: tuple[int, ...] | None = None
    is_product: bool = False
    observation: Observation | None = None
    workload: Workload | None = None
    reloaded: bool | None = None

    @property
    def kind(self) -> str:
        """What tables say: the layer's kind, or ``"dense"`` for a product that no layer makes."""
        return DENSE if self.is_product else self.work.kind

    def without_vectors(self) -> "LayerCall":
        """The same without all that is kept of single vectors."""
        work = replace(self.work, hitmap=None, cache_sets=None)
        return replace(self, work=work, zero=None, observation=None)


def observed_call(
    observation: Observation,
    cache: MCache | None,
    needs_input_gradient: bool,
    input_shape: tuple[int, ...] | None = None,
    workload: Workload | None = None,
) -> LayerCall:
    """The call that a reuse layer told of.

    Args:
        observation: what it told.
        cache: as :func:`~mercuric.trace.work.observed_work` has it.
        needs_input_gradient, input_shape, workload: as a call has them.

    Raises:
        ValueError: the observation's Hitmap does not fit its shape.
    """
    return LayerCall(
        observation.layer, observed_work(observation, cache), needs_input_gradient, observation.product,
        observation.zero, input_shape, observation=observation, workload=workload,
        reloaded=observation.reloaded,
    )  # fmt: skip


def dense_call(workload: Workload) -> LayerCall:
    """The call that computes a workload without reuse."""
    return LayerCall(
        workload.layer, Work(workload.shape, kind=workload.kind), workload.needs_input_gradient,
        is_product=workload.operation is not None, workload=workload,
    )  # fmt: skip
