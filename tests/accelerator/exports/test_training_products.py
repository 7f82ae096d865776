"""The products that are exported compute the gradients, with exactly the multiply-accumulates of a step."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from exported_networks import dense_products, mixed, reuse_products, step_macs
from torch import Tensor, nn

from mercuric import zoo
from mercuric.accelerator.engines.dense_layer import DenseLayer, layer_calls
from mercuric.accelerator.exports.gradient_layers import input_gradient, weight_gradient
from mercuric.accelerator.exports.product import TrainingProducts
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike
from mercuric.torchvision_operators import torchvision
from mercuric.trace.network_calls import NetworkCalls
from mercuric.trace.workload import read_workloads

CONVOLUTIONS = [
    nn.Conv2d(4, 6, 3, padding=1),
    nn.Conv2d(4, 6, (3, 5), padding=(1, 2), groups=2),
    nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4),
    nn.Conv2d(4, 6, 3, stride=2, padding=1),
    nn.Conv2d(4, 6, 3, stride=(1, 2), dilation=(2, 1), groups=2),
    nn.Conv2d(4, 6, 1, stride=2),
    nn.Conv2d(4, 6, 2),
]


def convolved(layer: DenseLayer, images: Tensor, filters: Tensor) -> Tensor:
    """By what a layer says alone: pad as far as its windows reach, and cut what they don't."""
    height, width = layer.covered
    (above, left), (rows, columns) = layer.padding, layer.size
    below, right = height - above - rows, width - left - columns
    assert images.shape == (layer.images, layer.channels, *layer.size)
    padded = F.pad(images, (left, right, above, below))
    return F.conv2d(padded, filters, None, layer.stride, 0, layer.dilation, layer.groups)


@pytest.mark.parametrize("conv", CONVOLUTIONS, ids=str)
def test_gradients_are_the_layers_that_are_exported(conv: nn.Conv2d) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, 9, 8, requires_grad=True)
    (layer,) = layer_calls(conv, x.detach())
    out = conv(x)
    gradient = torch.randn_like(out)
    of_input, of_weight = torch.autograd.grad(out, (x, conv.weight), gradient)
    g, images = conv.groups, len(x)

    by_weight = weight_gradient(layer)
    assert by_weight.macs == layer.macs
    swapped = x.detach().reshape(images, g, 4 // g, 9, 8).permute(2, 1, 0, 3, 4).flatten(1, 2)
    found = convolved(by_weight, swapped, gradient.transpose(0, 1))  # (C / g, filters, rows, columns)
    torch.testing.assert_close(found.transpose(0, 1), of_weight, rtol=1e-4, atol=1e-4)

    by_input = input_gradient(layer)
    assert by_input.macs == layer.macs
    filters = conv.weight.detach().reshape(g, -1, 4 // g, *conv.kernel_size)
    if by_input.kernel == layer.kernel and by_input.size == layer.size:
        turned = filters.transpose(1, 2).flatten(0, 1).flip((-2, -1))
        torch.testing.assert_close(convolved(by_input, gradient, turned), of_input, rtol=1e-4, atol=1e-4)
        return
    products, M, K, N = by_input.matrices
    rows = gradient.reshape(images, g, K, -1).permute(1, 0, 3, 2).reshape(products, M, K)
    windows = torch.bmm(rows, filters.reshape(g, K, N))
    columns = windows.reshape(g, images, -1, N).permute(1, 0, 3, 2).flatten(1, 2)
    added = F.fold(columns, x.shape[2:], conv.kernel_size, conv.dilation, conv.padding, conv.stride)
    torch.testing.assert_close(added, of_input, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", ["mixed", "zoo", "torchvision", "transformer"])
def test_a_step_has_all_multiply_accumulates(network: str) -> None:
    if network == "transformer":
        model, inputs = zoo.build_transformer(50, width=0.25, layers=1), (
            torch.ones(2, 5, dtype=torch.long), torch.ones(2, 7, dtype=torch.long),
        )  # fmt: skip
    elif network == "mixed":
        model, inputs = mixed()
    else:
        build = torchvision.models.shufflenet_v2_x0_5 if network == "torchvision" else None
        model = zoo.build("mobilenet-v2", 7, width=0.25) if build is None else build(num_classes=7)
        inputs = torch.randn(2, 3, 32, 32)
    workloads, products = read_workloads(model, inputs), dense_products(model, inputs)
    assert sum(one.macs for one in products) == step_macs(workloads)
    assert sum(one.macs for one in products if one.product == "forward") == sum(w.macs for w in workloads)
    assert len({one.name for one in products}) == len(products)


def test_windows_are_kept_where_they_are_known() -> None:
    model, inputs = mixed()
    forward = {one.layer: one.shape for one in dense_products(model, inputs) if one.product == "forward"}
    assert (forward["stem"].kernel, forward["stem"].stride) == ((3, 5), (2, 2))
    assert forward["depthwise"].groups == 12
    assert forward["dilated"].dilation == (2, 2)
    assert forward["head"].matrices == (1, 2, 8, 5)


def test_the_first_layer_needs_no_gradient_and_inference_has_none() -> None:
    model, inputs = mixed()
    products = dense_products(model, inputs)
    assert {one.product for one in products if one.layer == "stem"} == {"forward", "weight_gradient"}
    assert {one.product for one in dense_products(model, inputs, training=False)} == {"forward"}


def test_hitmaps_leave_the_rows_that_miss_and_a_product_of_signatures() -> None:
    model, inputs = mixed()
    calls = []
    NetworkCalls(model, [inputs], Alike.paper(bits=8)).tell(calls.append)
    products = reuse_products(model, inputs)
    assert sum(one.macs for one in products if one.part == "dense") == step_macs(
        read_workloads(model, inputs)
    )
    for number, call in enumerate(calls, start=1):
        mine = [one for one in products if one.call == number]
        hitmap, shape = call.work.hitmap, call.work.shape
        vectors = shape.scopes * shape.vectors
        misses = vectors if hitmap is None else int((~hitmap.hits).sum())
        rows, macs = Counter[str](), Counter[str]()
        for one in mine:
            if one.part == "remaining":
                rows[one.product] += one.rows
                macs[one.product] += one.macs
        assert set(rows.values()) == {misses}
        assert set(macs.values()) == {misses * shape.length * shape.filters}
        signed = [one.macs for one in mine if one.part == "signature"]
        assert signed == ([] if hitmap is None else [vectors * shape.length * 8])
    assert any(one.rows < one.vectors for one in products)


def test_hitmaps_of_gradient_vectors_are_refused() -> None:
    model, inputs = mixed()
    calls = []
    NetworkCalls(model, [inputs], Alike.paper(bits=8)).tell(calls.append)
    with pytest.raises(ArgumentError, match="let gradients be 'forward-hits'"):
        TrainingProducts().add(replace(calls[0], product="input_gradient"))
