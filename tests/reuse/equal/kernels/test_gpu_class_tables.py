"""Does the GPU find the classes that the definition finds?"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maps_drawn import DTYPES, maps, windows

from mercuric.reuse.equal.kernels import (
    ClassTable,
    Window,
    image_classes,
    reference,
    vector_classes,
    window_classes,
)

pytest.importorskip("triton", reason="GPU kernels are in Triton")
from mercuric.reuse.alike.kernels.gpu.launch import INTERPRETED
from mercuric.reuse.equal.kernels.gpu import tables

interpreted = pytest.mark.skipif(not INTERPRETED, reason="on a CPU Triton's kernels need TRITON_INTERPRET=1")


def check(found: ClassTable | None, expected: ClassTable | None) -> None:
    assert (found is None) == (expected is None)
    if found is None or expected is None:
        return
    for name in ("ids", "members", "first"):
        one, other = getattr(found, name).cpu(), getattr(expected, name)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert torch.equal(one, other)


@interpreted
@settings(max_examples=30)
@given(st.data())
def test_vectors_are_found_as_defined(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    scope = data.draw(st.sampled_from([0, 1, 4]))
    shape = (data.draw(st.integers(0, 12)) * (scope or 1), data.draw(st.integers(0, 9)))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 999)))
    vectors = torch.randint(0, 2, shape, generator=generator).to(dtype)
    most = data.draw(st.sampled_from([None, 0, 1, 5, 10_000]))
    check(tables.vector_classes(vectors, most, scope), reference.vector_classes(vectors, most, scope))


@interpreted
@settings(max_examples=20)
@given(st.data())
def test_windows_and_pixels_are_found_as_defined(data: st.DataObject) -> None:
    ids, per_image = data.draw(maps()), data.draw(st.booleans())
    window = data.draw(windows(*ids.shape[1:]))
    found = reference.window_classes(ids, window, None, per_image, tables.vector_classes)
    check(found, reference.window_classes(ids, window, None, per_image))
    images = torch.stack([ids, ids % 2], 1).float()
    found = reference.image_classes(images, None, per_image, tables.vector_classes)
    check(found, reference.image_classes(images, None, per_image))


def test_long_vectors_are_found_by_the_definition() -> None:
    vectors = torch.tensor([[0] * 600, [1] * 600, [0] * 600])
    check(tables.vector_classes(vectors), reference.vector_classes(vectors))


@pytest.mark.gpu
@pytest.mark.skipif(INTERPRETED or not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_finds_what_a_processor_finds() -> None:
    images = torch.randint(0, 2, (2, 3, 60, 70), generator=torch.Generator().manual_seed(0)).float()
    check(image_classes(images.cuda()), image_classes(images))
    ids = torch.randint(0, 9, (2, 60, 70), generator=torch.Generator().manual_seed(0)).int()
    for window in (Window((3, 3)), Window((8, 8), (4, 4))):
        check(window_classes(ids.cuda(), window, None, True), window_classes(ids, window, None, True))
    check(vector_classes(ids.view(-1, 7).cuda()), vector_classes(ids.view(-1, 7)))
