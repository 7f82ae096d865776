"""How does a run become one page? The files of its folder, filled into ``run.html``."""

import html
import shlex
from pathlib import Path

from mercuric.page.cards import card_elements, key_figures
from mercuric.page.document import definitions
from mercuric.page.document import write_page as fill_page
from mercuric.page.html_table import comparison_rows
from mercuric.page.machine import machine_facts
from mercuric.page.markup import unbroken
from mercuric.studies.train.adaptation import adaptation_section
from mercuric.studies.train.direction_layers import direction_section
from mercuric.studies.train.folder import Run, read_run
from mercuric.studies.train.headline import headline, lead
from mercuric.studies.train.methods import methods
from mercuric.studies.train.sections import layer_section, training_section


def write_page(run: Path, _command: str = "") -> Path:
    """Write ``report.html`` into a run's folder and return its path.

    The page is one file that loads nothing from anywhere; writing it again gives the same bytes.

    Args:
        run: folder with ``config.yaml``, ``metrics.jsonl``, ``summary.json`` and, where MERCURY was
            trained, ``layers.csv`` and perhaps ``adaptation.csv``.

    Raises:
        MercuricError: the folder or a file in it is missing, broken or not writable; names it.
    """
    target = run / "report.html"
    parts = _parts(read_run(run), adaptation_section(run) or "")
    fill_page(target, "run.html", **parts)
    return target


def _parts(run: Run, adaptation: str) -> dict[str, str]:
    summary = run.summary
    return {
        "title": html.escape(f"{summary.network} on {summary.data}: Mercuric report"),
        "run": html.escape(run.name),
        "headline": unbroken(headline(summary)),
        "lead": unbroken(lead(summary)),
        "cards": card_elements(key_figures(summary)),
        "comparison": comparison_rows(summary),
        "training": training_section(run.metrics, summary.metric, summary.method),
        "adaptation": adaptation,
        "layers": layer_section(run.layers) if summary.directions is None else direction_section(run.layers),
        "methods": definitions(methods(summary)),
        "machine": definitions(machine_facts(summary.machine.model_dump(), timed=True)),
        "config": html.escape(run.config),
        "command": html.escape(f"mercuric report {shlex.quote(run.name)}"),
    }
