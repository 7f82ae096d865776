"""Is what ``docs/architecture.md`` tells true: its examples, its places and its floors?"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import test_import_rules
import torch
from typer.testing import CliRunner

import mercuric
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.accelerator.exports.formats import FORMS
from mercuric.cli.app import make_app
from mercuric.data import catalogue
from mercuric.reuse.config import METHODS
from mercuric.reuse.layer_kinds import KINDS
from mercuric.studies import study
from mercuric.subjects.providers.registry import PROVIDERS
from mercuric.zoo.registry import NETWORKS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
EXAMPLES = dict(re.findall(r"^### An? ([\w ]+)\n.*?^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE))
TABLES = (DATAFLOWS, NETWORKS, KINDS, catalogue.DATA_SETS, METHODS, FORMS)

Example = Callable[[str], ModuleType]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    """Runs what the page has under a heading, as a module; what it registers is gone afterwards."""
    before, studies, providers = [dict(table) for table in TABLES], study.STUDIES, list(PROVIDERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def run(heading: str) -> ModuleType:
        names.append(f"example_{heading.replace(' ', '_')}")
        Path(f"{names[-1]}.py").write_text(EXAMPLES[heading])
        torch.manual_seed(0)
        return import_module(names[-1])

    yield run
    study.STUDIES, PROVIDERS[:] = studies, providers
    for table, old in zip(TABLES, before, strict=True):
        table.clear()
        table.update(old)
    for name in names:
        sys.modules.pop(name, None)


def test_a_dataflow(example: Example) -> None:
    made = example("dataflow")
    found, plain = (
        made.result.cycles(),
        made.mercuric.simulate(made.model, made.images, accelerator="weight-168"),
    )
    assert found == replace(plain.cycles(), signature=0)
    assert plain.cycles().signature > 0


def test_a_network(example: Example) -> None:
    network = example("network").network
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert network[0].out_channels == 8


def test_a_form_for_another_simulator(example: Example, tmp_path: Path) -> None:
    example("form for another simulator")
    out = tmp_path / "exported"
    words = "export", "custom-cnn", "--to", "matrices", "--image-size", "32", "--out", str(out)
    assert CliRunner().invoke(make_app(), words).exit_code == 0
    rows = pd.read_csv(out / "dense-dW.csv").set_index("name")
    assert len(rows) == 5 and tuple(rows.loc["001-features.0-dW"]) == (1, 3 * 3 * 3, 32 * 32, 32)


def test_a_provider_of_networks(example: Example) -> None:
    subject = example("provider of networks").subject
    assert subject.network(subject.images).shape == (2, 10)
    assert subject.network[1].out_features == 16


def test_a_kernel(example: Example) -> None:
    made = example("kernel")
    torch.testing.assert_close(made.product, made.definition)
    assert torch.equal(made.product[2], made.product[0])
    given = (made.rows, made.weight)
    found, wanted = (torch.autograd.grad(one.sum(), given) for one in (made.product, made.definition))
    torch.testing.assert_close(found, wanted)


def test_a_study(example: Example) -> None:
    example("study")
    runner, app = CliRunner(), make_app()
    assert "Count the letters of WORDS." in runner.invoke(app, ["--help"]).output
    assert runner.invoke(app, ["letters", "horse", "cart"]).exit_code == 0
    page = Path("runs/letters/report.html")
    written = page.read_text()
    assert "horse,5" in written
    page.unlink()
    assert runner.invoke(app, ["report", "runs/letters"]).exit_code == 0
    assert page.read_text() == written


def test_a_layer_kind(example: Example) -> None:
    made = example("layer kind")
    assert made.result.layers["HIT"].tolist() == [5]
    model, rows = torch.nn.Sequential(made.Fused(8, 4)), torch.ones(6, 8)
    dense = model(rows)
    handle = mercuric.reuse_(model, mercuric.Alike())
    torch.testing.assert_close(model(rows), dense)
    report = handle.report()
    assert report["HIT"].tolist() == [5]
    assert report.attrs["covered"] == 1
    mercuric.restore_(model)
    assert type(model[0]) is made.Fused


def test_directions_go_into_the_weight_of_a_new_layer_kind(example: Example) -> None:
    model = torch.nn.Sequential(example("layer kind").Fused(32, 16))
    handle = mercuric.reuse_(model, mercuric.Directions(rank=2, multiple=1))
    optimizer = torch.optim.SGD(model.parameters(), 0)
    model(torch.randn(64, 32)).square().sum().backward()
    optimizer.step()
    assert torch.linalg.matrix_rank(model[0].weight, rtol=1e-5) == 2
    rows = torch.randn(5, 32)
    torch.testing.assert_close(model(rows), torch.relu(rows @ model[0].weight.T + model[0].bias))
    assert handle.report()["computes"].tolist() == ["directions"]


def test_an_energy_table(example: Example) -> None:
    made = example("energy table")
    assert made.read == made.mine


def test_a_data_set(example: Example) -> None:
    stripes = example("data set").stripes
    images, labels = stripes.train.batch(torch.arange(2))
    assert images.shape == (2, 1, 16, 16)
    assert stripes.classes[labels[0]] == "upright"
    assert torch.equal(images[0, 0], images[1, 0].T)
    assert "stripes" in catalogue.names()


def test_a_method(example: Example) -> None:
    made = example("method")
    torch.testing.assert_close(made.output, 0.25 * made.model[0].weight.sum(1)[None])
    assert made.handle.report()["on"].tolist() == [True]


def test_every_example_is_run() -> None:
    asked = re.findall(r"^\| (an? [\w ]+) \| [\w ]+ \|", TEXT, re.MULTILINE)
    assert [one.partition(" ")[2] for one in asked] == list(EXAMPLES)
    assert TEXT.count("```python") == len(EXAMPLES) == 10
    assert {f"test_a{'n' * (one[0] in 'aeiou')}_{one.replace(' ', '_')}" for one in EXAMPLES} <= set(
        globals()
    )


def test_the_floors_are_the_tested_ones() -> None:
    drawn = re.search(r"^    __main__\n(?:    .*\n)+", TEXT, re.MULTILINE)
    assert drawn is not None
    floors = [tuple(line.strip().split(", ")) for line in drawn.group().splitlines()]
    assert [set(floor) for floor in floors[::-1]] == [set(floor) for floor in test_import_rules.FLOORS]


def test_every_place_is_there() -> None:
    package = Path(mercuric.__file__).parent
    within = (
        ROOT,
        package,
        *(package / one for one in ("accelerator", "reuse/alike", "reuse/alike/kernels", "reuse/directions")),
    )
    within += tuple(
        package / one for one in ("accelerator/dataflows", "accelerator/energy", "trace", "studies/evaluate")
    )
    places = re.findall(r"`([\w./-]+(?:/|\.py))`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
    assert len(places) > 40
    for place in places:
        assert "NAME" in place or any((folder / place).exists() for folder in within), place
