import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import zoo


@given(st.lists(st.integers(1, 7), min_size=1, max_size=4), st.integers(0, 6), st.integers(0, 2**16))
def test_one_hot_rows_hold_each_category_once(categories: list[int], rows: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    table = torch.stack([torch.randint(count, (rows,), generator=generator) for count in categories], 1)
    columns = zoo.one_hot(table, categories).split(categories, 1)
    assert all(column.dtype == torch.float32 for column in columns)
    for column, entries in zip(columns, table.unbind(1), strict=True):
        assert torch.equal(column.sum(1), torch.ones(rows))
        assert torch.equal(column.argmax(1), entries)


def test_layers() -> None:
    network = zoo.build_table_mlp((3, 2), 4, hidden=(8, 5))
    sizes = [(layer.in_features, layer.out_features) for layer in network if isinstance(layer, nn.Linear)]
    assert sizes == [(5, 8), (8, 5), (5, 4)]
    network(zoo.one_hot(torch.tensor([[0, 1], [2, 0]]), (3, 2))).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_without_hidden_layers_it_is_linear() -> None:
    assert [type(layer) for layer in zoo.build_table_mlp((3,), 2, hidden=())] == [nn.Linear]


@pytest.mark.parametrize(
    "table", [torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64)]
)
def test_other_tables_are_refused(table: Tensor) -> None:
    with pytest.raises(
        ValueError, match=r"table was a torch\..*, but must be a torch.int64 one of 2 columns"
    ):
        zoo.one_hot(table, (3, 2))


@pytest.mark.parametrize("entry", [2, -1])
def test_categories_out_of_range_are_refused(entry: int) -> None:
    with pytest.raises(ValueError, match=f"column 1 of table held {entry}, but entries must be from 0 to 1"):
        zoo.one_hot(torch.tensor([[0, 0], [2, entry]]), (3, 2))


@pytest.mark.parametrize("categories", [(), (3, 0)])
def test_categories_of_nothing_are_refused(categories: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"categories was .*, but must name a column, each of at least 1"):
        zoo.build_table_mlp(categories, 2)


def test_layers_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outputs was 2 and hidden \[4, 0\], but all must be at least 1"):
        zoo.build_table_mlp((3,), 2, hidden=(4, 0))
