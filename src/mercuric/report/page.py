"""How does a run become one page? The files of its folder, filled into the template."""

import html
import shlex
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from mercuric.errors import MercuricError
from mercuric.files import write_text
from mercuric.report.adaptation import adaptation_section
from mercuric.report.cards import card_elements, key_figures
from mercuric.report.folder import Run, read_run
from mercuric.report.headline import headline, lead
from mercuric.report.html_table import comparison_rows
from mercuric.report.markup import unbroken
from mercuric.report.methods import machine, methods
from mercuric.report.sections import layer_section, training_section


def write_report(run: Path) -> Path:
    """Write ``report.html`` into a run's folder and return its path.

    The page is one file that loads nothing from anywhere; writing it again gives the same bytes.

    Args:
        run: folder with ``config.yaml``, ``metrics.jsonl``, ``summary.json`` and, where MERCURY was
            trained, ``layers.csv`` and perhaps ``adaptation.csv``.

    Raises:
        MercuricError: the folder or a file in it is missing, broken or not writable; names it.
    """
    target = run / "report.html"
    page = _page(read_run(run), adaptation_section(run) or "")
    try:
        write_text(target, page)
    except OSError as error:
        raise MercuricError(f"{target} cannot be written: {error.strerror}", exit_code=1) from error
    return target


def _page(run: Run, adaptation: str) -> str:
    summary = run.summary
    return Template(_asset("template.html")).substitute(
        title=html.escape(f"{summary.network} on {summary.data}: Mercuric report"),
        style=_asset("report.css"),
        plotly=get_plotlyjs(),
        script=_asset("report.js"),
        run=html.escape(run.name),
        headline=unbroken(headline(summary)),
        lead=unbroken(lead(summary)),
        cards=card_elements(key_figures(summary)),
        comparison=comparison_rows(summary),
        training=training_section(run.metrics, summary.metric),
        adaptation=adaptation,
        layers=layer_section(run.layers),
        methods=_definitions(methods(summary)),
        machine=_definitions(machine(summary)),
        config=html.escape(run.config),
        command=html.escape(f"mercuric report {shlex.quote(run.name)}"),
    )


def _asset(name: str) -> str:
    return (files("mercuric.report") / name).read_text(encoding="utf-8")


def _definitions(entries: list[tuple[str, str]]) -> str:
    return "\n".join(
        f"<div><dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd></div>" for term, text in entries
    )
