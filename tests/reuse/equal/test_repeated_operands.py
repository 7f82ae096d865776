"""A plain tensor that repeats its numbers over the positions goes by rows beside a shared one."""

import torch
from hypothesis import given, settings
from shared_maps import Map, hold, maps


@given(maps(channels=3))
@settings(max_examples=50)
def test_a_factor_in_the_shape_of_the_map(image: Map) -> None:
    gate = torch.randn(len(image.classes.ids), 3, 1, 1, dtype=torch.float64, requires_grad=True)
    hold(lambda x: x * gate.expand_as(x), image, parameters=(gate,))
    hold(lambda x: gate.expand(x.shape) - x, image, parameters=(gate,))


@given(maps(channels=3, shape=(2, 3, 4)))
@settings(max_examples=20)
def test_a_vector_in_the_shape_of_the_map(image: Map) -> None:
    scale = torch.randn(72, dtype=torch.float64, requires_grad=True)
    hold(lambda x: x + scale[:3, None, None].expand_as(x), image, parameters=(scale,))
    hold(lambda x: x + scale.view_as(x), image, parameters=(scale,), expands=True)
    hold(lambda x: x * scale[:1].expand_as(x), image, parameters=(scale,))
