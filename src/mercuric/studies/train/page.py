"""How does a run become one page?"""

from pathlib import Path

from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Page, Section
from mercuric.studies.train.adaptation import adaptation_section
from mercuric.studies.train.adaptation_log import read_adaptation
from mercuric.studies.train.cards import key_figures
from mercuric.studies.train.comparison import Comparison, columns, compare
from mercuric.studies.train.folder import read_run
from mercuric.studies.train.headline import headline, lead
from mercuric.studies.train.methods import methods
from mercuric.studies.train.sections import layer_sections, training_section


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` into a run's folder and return its path.

    Writing it again gives the same bytes.

    Args:
        folder: with ``config.yaml``, ``metrics.jsonl``, ``summary.json`` and, where not only dense was
            trained, ``layers.csv`` and perhaps ``adaptation.csv`` and ``mercury.csv``.
        command: what made it, as the user typed it.

    Raises:
        MercuricError: the folder or a file in it is missing, broken or not writable; names it.
    """
    run, adaptation = read_run(folder), read_adaptation(folder)
    summary, figures = run.summary, compare(run.summary)
    page = Page(
        title=f"{summary.network} on {summary.data}: Mercuric report",
        kicker="report",
        subject=run.name,
        headline=headline(summary),
        lead=lead(summary),
        cards=key_figures(summary),
        sections=[
            training_section(run.metrics, summary),
            *([] if adaptation is None else [adaptation_section(adaptation)]),
            *layer_sections(run),
            Section("comparison", "All figures", [Comparison(figures, columns(summary, figures))]),
        ],
        methods=methods(summary),
        machine=machine_facts(summary.machine, timed=True),
        command=command,
    )
    return write(page, folder, f"{__package__}/page.html", config=run.config)
