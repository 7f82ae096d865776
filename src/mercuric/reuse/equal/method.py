"""How does a network compute equal vectors once?"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.reuse.equal import functions  # noqa: F401 - what shared tensors meet
from mercuric.reuse.equal.config import Equal
from mercuric.reuse.equal.convolution import convolve
from mercuric.reuse.equal.expansion import copied, dense
from mercuric.reuse.equal.kernels import class_product_flat
from mercuric.reuse.equal.layer import EqualLayer, FunctionProducts
from mercuric.reuse.equal.look import Look, leave_dense
from mercuric.reuse.equal.shared_tensor import SharedTensor
from mercuric.reuse.equal.table import Table, table_of
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import Method
from mercuric.reuse.model_pass import modules_around
from mercuric.reuse.observation import Kind
from mercuric.reuse.precision import autocast, left_to_torch
from mercuric.reuse.products import ConvolutionCall, LayerProduct
from mercuric.reuse.row_products import multiply
from mercuric.reuse.vectors import row_vectors


class EqualMethod(Method):
    """Exact reuse."""

    def why_dense(self, layer: nn.Module, kind: Kind) -> str | None:
        """What adds up over windows, or mixes positions, is not followed."""
        if kind == "attention":
            return "attention mixes positions, of which each is another one"
        if isinstance(layer, nn.ConvTranspose2d) and not _lies_side_by_side(layer):
            return "a transposed convolution whose outputs overlap is not computed by classes"
        return None

    def layer(self, name: str, config: Equal, product: LayerProduct) -> EqualLayer:
        """See :meth:`Method.layer`."""
        return EqualLayer(name, config, product.kind, error_due=False)

    def survey(
        self,
        model: nn.Module,
        layers: Mapping[nn.Module, Sequence[LayerReuse]],
        left_out: Collection[nn.Module],
    ) -> None:
        """Look at the input of every pass of the model, or of what in it holds all layers."""
        states = [state for own in layers.values() for state in own]
        config = states[0].config
        assert isinstance(config, Equal)  # noqa: S101 - for mypy
        look = Look(config, sequences=any(isinstance(layer, nn.Conv1d) for layer in layers))
        for state in states:
            if isinstance(state, EqualLayer):
                state.look = look
        for module in modules_around(model, [state.name for state in states]):
            look.attach(module)
        look.functions = FunctionProducts(config, look, states)
        for module in left_out:
            leave_dense(module)  # its product is a function that goes by classes elsewhere

    def convolve(self, call: ConvolutionCall) -> Tensor:
        """See :meth:`Method.convolve`: a row a class of windows, and no value is looked at."""
        state: EqualLayer = call.state
        state.why = "" if state.on else "it is switched off"
        if state.on and isinstance(call.given, SharedTensor):
            product = convolve(call.images, call.filters, call.offsets, call.geometry, state)
            if product is not None:
                found = call.raised(product)
                if state.wants_error:
                    call.given = copied(call.given)
                    state.measure_error(copied(found), call.dense().detach())
                return found
        call.given = dense(call.given, state.name)
        output = call.dense()
        state.dense(output.numel() // max(1, call.geometry.out_channels))
        return output

    def multiply(
        self,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        state: EqualLayer,
        training: bool,  # noqa: ARG002 - alike in both modes
    ) -> Tensor:
        """See :meth:`Method.multiply`."""
        state.why = "" if state.on else "it is switched off"
        found = _multiply_classes(rows, weight, bias, state) if state.on else None
        if found is not None:
            if state.wants_error:
                with torch.no_grad():
                    state.measure_error(copied(found), F.linear(copied(rows), weight, bias))
            return found
        table = table_of(rows)
        output = F.linear(dense(rows, state.name), weight, bias)
        vectors = output.numel() // max(1, len(weight))
        state.dense(table.classes.positions if table is not None and table.flat else vectors)
        return output


def _multiply_classes(rows: Tensor, weight: Tensor, bias: Tensor | None, state: EqualLayer) -> Tensor | None:
    """A product with a row a class; None where it takes plain tensors."""
    table = table_of(rows)
    if table is None or left_to_torch(table.rows, weight, bias):
        return None
    x, matrix, offset = autocast(table.rows), autocast(weight), autocast(bias)
    if table.flat:
        return _multiply_flat(table, x, matrix, offset, state)
    if table.channel == len(table.shape) - 1:
        state.shared(table.classes.number, table.classes.positions)
        vectors = partial(row_vectors, tuple(table.shape), len(weight), state.config.scope)
        state.tell(table.classes, vectors, table.rows.requires_grad)
        return table.with_rows(multiply(x, matrix, offset))
    return None


def _multiply_flat(
    table: Table, rows: Tensor, matrix: Tensor, offset: Tensor | None, state: EqualLayer
) -> Tensor | None:
    """A product with flattened maps, (N, features); None where they are flattened otherwise, or too few are
    equal: positions have weights of their own, so that vectors share where they lie at the same one."""
    ids, channels = table.classes.ids, rows.shape[1]
    images = len(ids)
    if table.shape != (images, ids.numel() // max(1, images) * channels):
        return None
    if table.channel == ids.dim() and ids.dim() > 1:
        matrix = matrix.reshape(len(matrix), -1, channels).mT.flatten(1)  # features are positions x channels
    elif table.channel != 1:
        return None
    share, positions = state.config.most, ids.numel()
    most = None if share is None else int(share * positions)
    found = class_product_flat(rows, ids.flatten(1), matrix, offset, most)
    if found is None:
        state.why = "too few of its vectors are equal at the same position"
        return None
    product, pairs = found
    state.shared(pairs, positions)
    return product


def _lies_side_by_side(layer: nn.ConvTranspose2d) -> bool:
    """Whether what a pixel's kernel gives meets no other's."""
    return layer.kernel_size == layer.stride and not any(
        (*layer.padding, *layer.output_padding, *(step - 1 for step in layer.dilation))
    )
