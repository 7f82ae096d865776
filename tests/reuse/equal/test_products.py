"""Products that models compute with functions are PyTorch's on the plain map."""

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_maps import Map, hold, maps

import mercuric
from mercuric.reuse.equal.shared_tensor import SharedTensor


@given(maps(channels=3, shape=(2, 4), channel=2) | maps(channels=3, channel=3), st.booleans())
@settings(max_examples=50)
def test_linear(image: Map, offset: bool) -> None:
    weight = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True) if offset else None
    parameters = (weight,) if bias is None else (weight, bias)
    assert isinstance(hold(lambda x: F.linear(x, weight, bias), image, parameters=parameters), SharedTensor)


def test_layers_that_a_filter_leaves_out_are_dense() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    handle = mercuric.reuse_(model, mercuric.Equal(most=1.0), filter_fn="0")
    seen: list[type] = []
    model[2].register_forward_hook(lambda _module, args, _output: seen.append(type(args[0])))
    model(torch.ones(5, 3))
    assert handle.report()["computes"].tolist() == ["classes"]
    assert seen == [torch.Tensor]
    mercuric.restore_(model)
    assert not model[2]._forward_pre_hooks
