"""Does every claim find its answer in the folders of real studies, small ones, and is it told?"""

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mercuric.cli.app import make_app
from mercuric.errors import ArgumentError
from mercuric.studies.reproduce import runs, study
from mercuric.studies.reproduce.claim import all_claims, chosen_claims
from mercuric.studies.reproduce.found import answer
from mercuric.studies.reproduce.runs import Run, all_runs, needed_runs
from mercuric.studies.reproduce.study import Outcome, run_folders

SMALL = {
    "similarity": "similarity alexnet --images 1 --image-size 64",
    "similarity-seed-1": "similarity alexnet --images 1 --image-size 64 --seed 1",
    "similarity-seed-2": "",
    "pipelining": "sweep custom-cnn --set pipelined_signatures=true,false --images 1 --image-size 32",
    "training": "train custom-cnn --data photos --train-examples 128 --epochs 1 --image-size 16 --compare",
    "accuracy": "",
    "translation": "",
    "speedups": "speedups custom-cnn alexnet --images 1 --image-size 64",
    "speedups-seed-1": "speedups custom-cnn alexnet --images 1 --image-size 64 --seed 1",
    "speedups-seed-2": "",
    "assumptions": "speedups --assumptions custom-cnn --images 1 --image-size 32",
    "mcache": "sweep custom-cnn --set entries=512,1024,2048 --set ways=8,16 --images 1 --image-size 32",
    "synthesis": "",
    "synthesis-memory": "",
    "power": "",
    "bounds-alexnet": "",
    "bounds-vgg13": "bounds custom-cnn --images 1 --image-size 32",
    "bounds-squeezenet": "",
    "bounds-mobilenet": "",
    "bounds-googlenet": "",
    "bounds-resnet50": "",
    "training-custom": "train custom-cnn --train-examples 64 --epochs 1 --image-size 16 --compare",
    "equal-custom": "",
    "direct-mapped": "sweep custom-cnn --set ways=1,16 --images 1 --image-size 32",
    "weight-stationary": "sweep custom-cnn --set ways=16 --accelerator weight-168 --inference --images 1",
    "hitmaps": "hitmap custom-cnn --images 2 --image-size 32",
    "arrays": "evaluate custom-cnn --batch 1,16 --image-size 32 --dense --inference",
    "arrays-resnet18": "evaluate custom-cnn --image-size 32 --dense --inference",
    "arrays-resnet50": "",
    "arrays-mobilenet": "",
    "arrays-densenet": "",
    "shrinking": "shrink custom-cnn --trials 5 --epochs 1 --train-examples 64 --image-size 16",
}  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Mapping[str, Run]:
    """Every run of the package, as small as it may be."""
    return {name: one.changed(full=SMALL[name], quick=None) for name, one in all_runs().items()}


def reproduce(*arguments: object) -> Result:
    return CliRunner().invoke(make_app(), ["reproduce", *map(str, arguments)])


def run_here(words: list[str], place: Path, *_: object) -> Outcome:
    """A run in this process, not in one that imports all anew; test_reproduce_failures.py starts those."""
    ended = CliRunner().invoke(make_app(), [*words, "--out", str(place)])
    return Outcome(command="", seconds=0, said=ended.output if ended.exit_code else None)


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory, small: Mapping[str, Run]) -> Path:
    """All claims, tried on the small runs."""
    folder = tmp_path_factory.mktemp("reproduction") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "all_runs", lambda: small)
        patch.setattr(study, "all_runs", lambda: small)
        patch.setattr(study, "_run", run_here)
        result = reproduce("all", "--out", folder)
    assert result.exit_code == 0, result.output
    return folder


def test_every_claim_is_answered(reproduced: Path) -> None:
    ran = json.loads((reproduced / "reproduction.json").read_text())["runs"]
    for claim in all_claims().values():
        there = [name for name in claim.runs if name in ran]
        if not there:
            assert claim.name.startswith("table_"), claim.name  # test_circuit_claims.py asks these
            continue
        found = answer(claim, run_folders(reproduced, there))
        assert set(found.numbers) <= set(claim.statements), claim.name
        assert any(number.ours is not None for number in found.numbers.values()), claim.name
        assert found.why.endswith("."), claim.name
        assert re.search(r"\bnan\b|\binf\b", found.why) is None, found.why


def test_page_markdown_and_csv_have_every_claim(reproduced: Path) -> None:
    page, text = ((reproduced / name).read_text() for name in ("report.html", "reproduction.md"))
    rows = list(csv.DictReader((reproduced / "claims.csv").open()))
    for claim in all_claims().values():
        assert f'id="{claim.name}"' in page
        assert f"## {claim.part}: {claim.title}" in text
        assert [row["statement"] for row in rows if row["claim"] == claim.name] == [
            statement.says for statement in claim.statements.values()
        ]


def test_markdown_shows_every_picture_in_a_small_file_that_stays_the_same(reproduced: Path) -> None:
    shown = re.findall(r"!\[(.+)\]\((figures/.+\.svg)\)", (reproduced / "reproduction.md").read_text())
    files = {place: (reproduced / place).read_bytes() for _, place in shown}
    assert len(files) == len(shown) == len(list((reproduced / "figures").iterdir())) > 20
    assert all(len(alt) > 10 for alt, _ in shown)
    assert max(map(len, files.values())) < 150_000
    assert not any(b"<dc:date>" in one for one in files.values())
    assert CliRunner().invoke(make_app(), ["report", str(reproduced)]).exit_code == 0
    assert {place: (reproduced / place).read_bytes() for place in files} == files


def test_other_seeds_are_the_spread_of_ours(reproduced: Path) -> None:
    rows = list(csv.DictReader((reproduced / "claims.csv").open()))
    spread = {
        (row["claim"], row["statement"]): [float(row[one]) for one in ("low", "ours", "high")]
        for row in rows
        if row["low"]
    }
    means = {(f"figure_{one}", "mean of the networks") for one in ("14c", "18a", "18b")}
    assert means | {("figure_14b", "cycles saved, mean of the networks")} <= set(spread)
    assert all(low <= ours <= high for low, ours, high in spread.values())
    assert len({tuple(ends) for ends in spread.values()}) > 3


def test_pictures_have_names_of_their_own(reproduced: Path) -> None:
    page = (reproduced / "report.html").read_text()
    drawn = re.findall(r'data-chart="([^"]+)"', page)
    assert len(drawn) == len(set(drawn)) > 20


def test_the_page_is_written_again(reproduced: Path) -> None:
    before = (reproduced / "report.html").read_bytes()
    assert CliRunner().invoke(make_app(), ["report", str(reproduced)]).exit_code == 0
    assert (reproduced / "report.html").read_bytes() == before


def test_every_run_is_a_command_that_parses(small: Mapping[str, Run]) -> None:
    assert set(SMALL) == set(all_runs())
    for run in all_runs().values():
        for quick in (True, False):
            if not run.left_out(quick):
                assert isinstance(run.resumes(quick), bool)
    for claim in all_claims().values():
        assert set(claim.runs) <= set(small)
        assert all((one.paper is None) == (one.test == "true") for one in claim.statements.values())
        assert needed_runs(claim.runs, quick=False)


def test_unknown_claim() -> None:
    with pytest.raises(ArgumentError, match=r"claim was 'figure_99', but must be all or one of figure_1, "):
        chosen_claims(["figure_99"])
    assert reproduce("figure_99", "--quick").exit_code == 2


def test_figures_come_in_their_order() -> None:
    names = list(all_claims())
    assert names[:4] == ["figure_1", "figure_3", "figure_8c", "figure_13"]
