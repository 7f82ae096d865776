"""Are classes those of a dictionary of tuples, whatever collides, however many threads look?"""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from maps_drawn import DTYPES, maps, windows
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.reuse.equal.kernels import (
    OUTSIDE,
    ClassTable,
    Window,
    class_counts,
    image_classes,
    reference,
    vector_classes,
    window_classes,
)
from mercuric.reuse.equal.kernels.cpu import parts, vector_table, window_table, words

every_search = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["one thread", "three threads", "colliding hashes"])
def search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ways to search, which must give the same."""
    before = torch.get_num_threads()
    if request.param == "colliding hashes":
        for module in (vector_table, window_table):
            monkeypatch.setattr(module, "factors", lambda count, _: np.zeros(count, dtype=np.uint64))
    if request.param == "three threads":
        monkeypatch.setattr(parts, "POSITIONS_A_PART", 1)
        monkeypatch.setattr(words, "BLOCK_WORDS", 5)
    torch.set_num_threads(3 if request.param == "three threads" else 1)
    yield
    torch.set_num_threads(before)


def by_dictionary(tuples: list[tuple[object, ...]], scope: int = 0) -> tuple[list[int], list[int]]:
    """Ids by first appearance, and where each class appears first."""
    known: dict[object, int] = {}
    ids, first = [], []
    for place, one in enumerate(tuples):
        key = (place // scope if scope else 0, one)
        if key not in known:
            known[key] = len(known)
            first.append(place)
        ids.append(known[key])
    return ids, first


def check(
    table: ClassTable | None, tuples: list[tuple[object, ...]], most: int | None = None, scope: int = 0
) -> None:
    ids, first = by_dictionary(tuples, scope)
    if most is not None and len(first) > most:
        assert table is None
        return
    assert table is not None
    assert (table.ids.dtype, table.first.dtype, table.members.dtype) == (
        torch.int32,
        torch.int64,
        torch.int32,
    )
    assert table.ids.flatten().tolist() == ids
    assert table.first.tolist() == first
    assert table.classes == len(first) == len(table.members)
    if table.members.shape[1]:
        assert [tuple(member) for member in table.members.tolist()] == [tuples[place] for place in first]


def window_tuples(ids: Tensor, window: Window) -> list[tuple[object, ...]]:
    """One position after the other."""
    rows, columns = window.output(*ids.shape[1:])
    above, _, left, _ = window.padding

    def at(image: Tensor, y: int, x: int) -> int:
        inside = 0 <= y < image.shape[0] and 0 <= x < image.shape[1]
        return int(image[y, x]) if inside else OUTSIDE

    return [
        tuple(
            at(
                image,
                y * window.stride[0] - above + i * window.dilation[0],
                x * window.stride[1] - left + j * window.dilation[1],
            )
            for i in range(window.kernel[0])
            for j in range(window.kernel[1])
        )
        for image in ids
        for y in range(rows)
        for x in range(columns)
    ]


@pytest.mark.usefixtures("search")
@every_search
@given(st.data())
def test_windows_are_as_a_dictionary_tells_them(data: st.DataObject) -> None:
    ids = data.draw(maps())
    window = data.draw(windows(*ids.shape[1:]))
    tuples = window_tuples(ids, window)
    most = data.draw(st.sampled_from([None, 0, 1, 3, 10_000]))
    per_image = data.draw(st.booleans())
    scope = len(tuples) // max(len(ids), 1) if per_image else 0
    found = window_classes(ids, window, most, per_image)
    check(found, tuples, most, scope)
    check(reference.window_classes(ids, window, most, per_image), tuples, most, scope)
    if found is not None:
        assert found.ids.shape == (len(ids), *window.output(*ids.shape[1:]))


@pytest.mark.usefixtures("search")
@every_search
@given(st.data())
def test_vectors_are_as_a_dictionary_tells_them(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    scope = data.draw(st.sampled_from([0, 1, 4]))
    shape = (data.draw(st.integers(0, 12)) * (scope or 1), data.draw(st.integers(0, 9)))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 999)))
    vectors = torch.randint(0, 2, shape, generator=generator).to(dtype)
    most = data.draw(st.sampled_from([None, 0, 1, 5, 10_000]))
    tuples = [tuple(vector) for vector in vectors.tolist()]
    for find in (vector_classes, reference.vector_classes):
        found = find(vectors, most, scope)
        check(found, tuples, most, scope)
        assert found is None or found.members.shape[1] == (shape[1] if dtype == torch.int32 else 0)


@pytest.mark.usefixtures("search")
@every_search
@given(st.data())
def test_pixels_are_as_a_dictionary_tells_them_whatever_their_strides(data: st.DataObject) -> None:
    classes = data.draw(maps())
    dtype = data.draw(st.sampled_from(DTYPES))
    channels = data.draw(st.sampled_from([1, 3, 4, 7]))
    digits = [classes.div(2**digit, rounding_mode="floor") % 2 for digit in range(channels)]
    images = torch.stack(digits, 1).to(dtype)
    layout = data.draw(st.sampled_from(["contiguous", "channels_last", "mirrored", "cut out"]))
    if layout == "channels_last":
        images = images.contiguous(memory_format=torch.channels_last)
    elif layout == "mirrored":
        images = images.transpose(2, 3).contiguous().transpose(2, 3)
    elif layout == "cut out":
        images = torch.cat([images] * 3, 3)[..., images.shape[3] : 2 * images.shape[3]]
    most = data.draw(st.sampled_from([None, 1, 10_000]))
    per_image = data.draw(st.booleans())
    tuples = [tuple(pixel) for pixel in images.permute(0, 2, 3, 1).flatten(0, 2).tolist()]
    scope = classes[0].numel() if per_image and len(classes) else 0
    for find in (image_classes, reference.image_classes):
        found = find(images, most, per_image)
        check(found, tuples, most, scope)
        assert found is None or found.ids.shape == classes.shape


@pytest.mark.usefixtures("search")
@given(
    ids=maps(),
    steps=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_windows_of_tiles_are_the_windows(
    ids: Tensor, steps: tuple[int, int], kernel: tuple[int, int]
) -> None:
    sides = tuple(number * step for number, step in zip(kernel, steps, strict=True))
    assume(sides[0] <= ids.shape[1] and sides[1] <= ids.shape[2])
    window = Window(sides, steps)
    tiles = window.tiles()
    if steps == (1, 1) or kernel == (1, 1):
        assert tiles is None
        return
    assert tiles is not None
    found = window_classes(ids, tiles[0])
    assert found is not None
    over, whole = window_classes(found.ids, tiles[1]), window_classes(ids, window)
    assert over is not None and whole is not None
    assert torch.equal(over.ids, whole.ids)
    assert torch.equal(over.first, whole.first)
    pixels = found.members[over.members.long()].view(-1, *kernel, *steps)
    assert torch.equal(pixels.permute(0, 1, 3, 2, 4).reshape(whole.members.shape), whole.members)


@pytest.mark.parametrize(
    "window",
    [
        Window((3, 3)),
        Window((7, 7), (2, 2)),
        Window((4, 6), (2, 4)),
        Window((4, 4), (2, 2), padding=(1, 1, 1, 1)),
        Window((4, 4), (2, 2), dilation=(2, 2)),
        Window((2, 2), (2, 2)),
    ],
)
def test_other_windows_have_no_tiles(window: Window) -> None:
    assert window.tiles() is None


def test_a_table_outgrows_its_slots() -> None:
    ids = torch.randperm(9000, generator=torch.Generator().manual_seed(0)).int().view(1, 90, 100)
    twice = torch.cat([ids, ids])
    for per_image in (False, True):
        found = window_classes(twice, Window((1, 2)), per_image=per_image)
        assert found is not None
        assert found.classes == 8910 * (1 + per_image)
        assert torch.equal(found.ids[1], found.ids[0] + 8910 * per_image)
        again = vector_classes(twice.view(-1, 1), scope=9000 * per_image)
        assert again is not None
        assert again.ids.tolist() == [*range(9000), *range(9000 * per_image, 9000 * (1 + per_image))]


@pytest.mark.usefixtures("search")
def test_bits_are_compared_not_values() -> None:
    nan = torch.tensor([0x7FC00000, 0x7FC00001, 0x7FC00000], dtype=torch.int32).view(torch.float32)
    found = vector_classes(torch.cat([torch.tensor([0.0, -0.0, 0.0]), nan])[:, None])
    assert found is not None
    assert found.ids.tolist() == [0, 1, 0, 2, 3, 2]


def test_counts_are_those_of_positions() -> None:
    ids = torch.tensor([[0, 0, 1], [1, 1, 3]], dtype=torch.int32)
    assert class_counts(ids, 5).tolist() == reference.class_counts(ids, 5).tolist() == [2, 3, 0, 1, 0]
    assert class_counts(ids.mT, 4).tolist() == [2, 3, 0, 1]
    assert class_counts(ids[:0], 0).tolist() == []


def test_two_threads_search_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randint(0, 2, (2, 1, 60, 60), generator=generator, dtype=torch.uint8) for _ in range(8)]

    def found(images: Tensor) -> list[list[int]]:
        table = image_classes(images)
        assert table is not None
        over = window_classes(table.ids, Window((3, 3), padding=(1, 1, 1, 1)))
        assert over is not None
        return [over.ids.flatten().tolist(), over.first.tolist(), over.members.flatten().tolist()]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(found, drawn)) == [found(images) for images in drawn]


WRONG = [
    (lambda: vector_classes(torch.zeros(3)), "vectors were (3,), but must be (vectors, length)"),
    (
        lambda: vector_classes(torch.zeros(5, 1), scope=2),
        "scope was 2, but must be 0 or divide the 5 vectors",
    ),
    (lambda: image_classes(torch.zeros(3, 4)), "images were (3, 4), but must be (N, C, H, W)"),
    (
        lambda: window_classes(torch.zeros(1, 2, 2), Window((1, 1))),
        "ids were torch.float32 of shape (1, 2, 2), but must be torch.int32 of shape (N, H, W)",
    ),
    (
        lambda: window_classes(torch.zeros(1, 2, 2).int(), Window((3, 3), padding=(0, 1, 0, 0))),
        "the map was 2 x 2, but with its padding must be at least 3 x 3, the size of the window",
    ),
    (
        lambda: vector_classes(torch.zeros(1, 1, dtype=torch.uint8).expand(2**31, 1)),
        "vectors had 2147483648 positions, but must have at most 2147483647: classes are int32",
    ),
    (lambda: Window((3, 0)), "kernel was (3, 0), but must be at least 1 in every direction"),
    (
        lambda: Window((3, 3), padding=(0, 0, -1, 0)),
        "padding was (0, 0, -1, 0), but must be at least 0 in every direction",
    ),
]


@pytest.mark.parametrize(("call", "said"), WRONG)
def test_wrong_arguments_are_named(call, said: str) -> None:
    with pytest.raises(ArgumentError) as error:
        call()
    assert str(error.value) == said
