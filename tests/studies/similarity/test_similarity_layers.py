import pytest
import torch
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.reuse import ReuseConfig, reuse_
from mercuric.studies.similarity.layers import COUNTS, by_layer, training_step

BATCH = 3


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    images, labels = data.load_images("photos", image_size=16).train.batch(torch.arange(BATCH))
    return images, labels


def network() -> nn.Module:
    torch.manual_seed(0)
    return zoo.build("custom-cnn", 7, 3, 16)


def config(**changes: object) -> ReuseConfig:
    return ReuseConfig.paper().model_copy(update=changes)


def test_counts_are_those_of_the_handle(batch: tuple[Tensor, Tensor]) -> None:
    step, cycles = training_step(network(), *batch, config(), seed=0)
    layers = by_layer(step.table())
    forward = layers[layers["product"] == "forward"].set_index("layer")
    handle = reuse_(model := network(), config())
    torch.manual_seed(0)
    model.train()(batch[0])
    report = handle.report().set_index("layer")
    assert list(forward.index) == list(report.index) == list(cycles["layer"])
    for column in ("vectors", *COUNTS):
        assert forward[column].tolist() == report[column].tolist(), column
    assert (layers["HIT"] + layers["MAU"] + layers["MNU"] == layers["vectors"]).all()
    shares = layers[["similar", "zero_hit", "mau", "mnu"]].sum(axis=1)
    assert shares.tolist() == pytest.approx([1] * len(layers))


def test_every_layer_but_the_first_has_gradient_vectors(batch: tuple[Tensor, Tensor]) -> None:
    layers = by_layer(training_step(network(), *batch, config(), seed=0)[0].table())
    products = {product: list(rows["layer"]) for product, rows in layers.groupby("product", sort=False)}
    assert sorted(products["input_gradient"]) == sorted(products["forward"][1:])


def test_channels_are_told_apart_in_the_scopes_order(batch: tuple[Tensor, Tensor]) -> None:
    images, labels = batch
    flat = images.clone()
    flat[:, 1] = 0
    table = training_step(network(), flat, labels, config(entries=None), seed=0)[0].table()
    first = table[(table["layer"] == "features.0") & (table["product"] == "forward")].set_index("channel")
    assert list(first.index) == [0, 1, 2]
    assert first["vectors"].tolist() == [BATCH * 16 * 16] * 3
    assert first["scopes"].tolist() == [BATCH] * 3
    assert first.loc[1, "zero"] == BATCH * 16 * 16
    assert first.loc[1, "MAU"] == BATCH
    assert (first.loc[[0, 2], "MAU"] > BATCH).all()


@pytest.mark.parametrize("shown", [0, 2])
def test_maps_are_of_the_shown_image(batch: tuple[Tensor, Tensor], shown: int) -> None:
    images, labels = batch
    constant = images.clone()
    constant[2] = 0
    maps = training_step(network(), constant, labels, config(), seed=0, shown=shown)[0].maps
    first = maps[0]
    assert (first["layer"].iloc[0], first["channel"].iloc[0], len(first)) == ("features.0", 0, 16)
    assert [one["channel"].iloc[0] for one in maps[:3]] == [0, 1, 2]
    letters = "".join(first["states"])
    assert len(letters) == 256
    if shown == 2:
        assert letters == "U" + "Z" * 255
    else:
        assert {"H", "U"} <= set(letters) <= set("HUN")


def test_a_step_changes_no_parameter_and_leaves_no_reuse_or_gradient(batch: tuple[Tensor, Tensor]) -> None:
    model = network()
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    training_step(model, *batch, config(), seed=0)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.grad is None
    assert {type(module) for module in model.modules()} == {type(module) for module in network().modules()}


def test_a_step_that_fails_leaves_no_reuse(batch: tuple[Tensor, Tensor]) -> None:
    model = network()
    with pytest.raises(ValueError, match="a score of each class up to 99"):
        training_step(model, batch[0], torch.full((BATCH,), 99), config(), seed=0)
    assert type(model.get_submodule("features.0")) is nn.Conv2d
