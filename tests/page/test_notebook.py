"""Do a simulation and a handle's report draw what they hold?"""

import base64
import re
from xml.etree import ElementTree

import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

import mercuric
from mercuric import ArgumentError, MercuricError
from mercuric.reuse.layer_report import LayerReport

SVG = "{http://www.w3.org/2000/svg}"


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(576, 2))


def images() -> torch.Tensor:
    return (torch.rand(2, 1, 16, 16) > 0.8).float()


def texts(html: str) -> list[str]:
    """What is written in the chart within a result's HTML."""
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', html)
    assert found is not None
    drawn = ElementTree.fromstring(base64.b64decode(found[1]))  # noqa: S314 - ours
    return ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def simulation() -> mercuric.Simulation:
    return mercuric.simulate(network(), images())


@pytest.mark.parametrize("timing", ["paper", "fair"])
def test_bars_of_a_simulation_are_its_cycles(simulation: mercuric.Simulation, timing: str) -> None:
    figure = simulation.plot(timing)  # type: ignore[arg-type]
    assert isinstance(figure, Figure)
    prefix = {"paper": "cycles", "fair": "fair"}[timing]
    heights = [round(bar.get_height()) for bar in figure.axes[0].patches]
    layers = simulation.layers
    for column in (f"{prefix}_baseline", f"{prefix}_signature"):
        assert set(layers[column]) <= set(heights)
    assert set(layers[f"{prefix}_mercury"] - layers[f"{prefix}_signature"]) <= set(heights)


def test_a_simulation_in_a_notebook(simulation: mercuric.Simulation) -> None:
    shown = simulation._repr_html_()
    assert f"{simulation.speedup('paper'):.2f}x in paper timing" in shown
    assert {"baseline", "MERCURY, products", "cycles, paper timing"} <= set(texts(shown))
    assert "<th>cycles_baseline</th>" in shown
    with pytest.raises(ArgumentError, match="timing was 'late', but must be one of paper, fair"):
        simulation.plot("late")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (mercuric.Alike(), "HIT, similar vector"),
        (mercuric.Equal(), "equal to another, copied"),
        (mercuric.Directions(rank=2, multiple=1), "directions"),
    ],
)
def test_a_report_of_each_method(config: mercuric.ReuseConfig, said: str) -> None:
    model = network()
    handle = mercuric.reuse_(model, config)
    loss = model(images()).square().sum()
    loss.backward()
    handle.step(loss)
    report = handle.report()
    assert said in texts(report._repr_html_())
    assert f"{len(report)} layers reuse, {report.attrs['covered']:.0%} of the multi" in report._repr_html_()
    assert isinstance(report.plot(), Figure)


def test_a_report_stays_a_table_of_pandas() -> None:
    model = network()
    handle = mercuric.reuse_(model, mercuric.Alike())
    with pytest.raises(MercuricError, match="there is nothing to draw: no layer has reused anything"):
        handle.report().plot()
    assert "<img" not in handle.report()._repr_html_()
    model(images())
    report = handle.report()
    shares = [bar.get_height() for bar in report.plot().axes[0].patches]
    assert sum(shares) == pytest.approx(len(report), abs=1e-4), "each layer's shares sum to one"
    assert isinstance(report, LayerReport)
    assert type(report[["layer", "HIT"]]) is type(report.merge(report, on="layer")) is pd.DataFrame
    assert report.plot(y="HIT", kind="bar").get_title() == ""
