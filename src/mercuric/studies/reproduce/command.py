"""``mercuric reproduce``: do the claims hold?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mercuric.errors import MercuricError
from mercuric.files.json_text import records
from mercuric.studies.reproduce import texts
from mercuric.studies.reproduce.config import ReproduceConfig
from mercuric.studies.reproduce.judged import Judged, judge_all, read_summary
from mercuric.studies.reproduce.markdown import statements
from mercuric.studies.reproduce.page import write_answers
from mercuric.studies.reproduce.study import reproduce as run_reproduction
from mercuric.studies.stored_command import store_command
from mercuric.studies.workers import Workers
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def reproduce(
    context: typer.Context,
    claims: Annotated[list[str], typer.Argument(help="Claims by name, as figure_14c, or all.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer networks and smaller images.")] = False,
    data: options.Data = None,
    jobs: Annotated[
        int | None, typer.Option(help="Studies that run at a time; 1, or with --ray one a CPU, by default.")
    ] = None,
    ray: options.Ray = None,
    out: Annotated[Path, typer.Option(help="Gets a folder a study, tables and the report.")] = Path(
        "runs/reproduction"
    ),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    config = ReproduceConfig(claims=tuple(claims), quick=quick, data=data)
    with bars() as progress:
        outcomes = run_reproduction(config, out, Workers(jobs, ray), resume, progress)
    summary = read_summary(out)
    judged = judge_all(out, summary)
    page = write_answers(out, judged, summary, store_command(out, context))
    show(
        as_json,
        {
            "claims": records(statements(judged)),
            "runs": {name: one.model_dump() for name, one in outcomes.items()},
        },
        _table(judged),
        texts.headline(judged),
        f"Report: {page}",
    )
    failed = [name for name, one in outcomes.items() if one.said is not None]
    if failed:
        raise MercuricError(
            f"{', '.join(failed)} failed; the claims that need them say so, and --resume tries again",
            exit_code=1,
        )


def _table(judged: list[Judged]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for head in ("claim", "source", "ours", "fair", "verdict"):
        table.add_column(head)
    for one in judged:
        table.add_row(f"{one.claim.part}: {one.claim.title}", *texts.leading(one), one.verdict)
    return table
