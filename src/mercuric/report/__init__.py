"""How does a person see a run? One self-contained HTML page, and tables for the terminal."""

from mercuric.report.page import write_report
from mercuric.report.terminal import layer_table, simulation_table, summary_table

__all__ = ["layer_table", "simulation_table", "summary_table", "write_report"]
