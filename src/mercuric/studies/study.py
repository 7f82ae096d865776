"""What is a study, and which are there?

A study is a folder of this package: ``config.py`` (what is asked), ``study.py`` (the run, which needs no
terminal and knows no page), ``page.py`` (how a folder that it filled becomes a page) and ``command.py`` (its
command line), as far as it has these; and one entry of :data:`STUDIES`, which is all that the command
``mercuric`` and ``mercuric report`` read. What an entry names is imported when it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mercuric.errors import MercuricError
from mercuric.terminal.command import Command, imported

WritePage = Callable[[Path, str], Path]
"""Called with a folder and the command that filled it; writes the page from the files there and names it."""


@dataclass(frozen=True, kw_only=True)
class Study(Command):
    """Something that is measured or made by one command.

    Attributes:
        page: ``"module:name"`` of the :data:`WritePage`, of a study that has a page.
        mark: a file that tells a folder of this study where no command is stored in it.
        tells: whether it has charts or tables to export though it writes no page.
    """

    page: str | None = None
    mark: str | None = None
    tells: bool = False

    def load_page(self) -> WritePage | None:
        """Import what writes the page; None where there is none."""
        return None if self.page is None else cast("WritePage", imported(self.page))


_KEPT = "stopped; finished {} are kept: add --resume to go on"
_SAVED = "stopped; what was saved is kept, and the same command with --resume goes on from it"

STUDIES = (
    Study(
        "train",
        "Train MODEL with MERCURY, --equal or --fast (and densely, with --compare); write a folder with "
        "a report.",
        ".studies.train.command:train", page=".studies.train.page:write_page", mark="summary.json",
        stopped=_SAVED,
    ),
    Study(
        "simulate", "Count the cycles that MODEL takes on real images, with and without MERCURY.",
        ".studies.simulate.command:simulate", tells=True,
    ),
    Study(
        "export",
        "Write MODEL's training products for SCALE-Sim, ZigZag, AccelForge, Timeloop or STONNE.",
        ".studies.export.command:export", mark="export.json",
    ),
    Study(
        "hitmap", "Write which vectors of each layer of MODEL reuse a result, a line a batch.",
        ".studies.hitmap.command:hitmap", mark="run.json",
    ),
    Study(
        "similarity",
        "Find similar vectors in MODEL on real images; write a folder with CSV files and a report.",
        ".studies.similarity.command:similarity", page=".studies.similarity.page:write_page",
        mark="study.json",
    ),
    Study(
        "similarity --equal",
        "Show which regions of an image NETWORK computes once with exact reuse, layer by layer.",
        ".studies.similarity.equal.command:similarity_equal",
        page=".studies.similarity.equal.page:write_page", mark="classes.json",
    ),
    Study(
        "accuracy",
        "Train networks densely and with MERCURY, over seeds, and write the table of what that costs.",
        ".studies.accuracy.command:accuracy", page=".studies.accuracy.table:write_page", mark="accuracy.csv",
        stopped=_SAVED,
    ),
    Study(
        "bounds",
        "Compare MERCURY with UCNN, zero pruning and unlimited similarity on MODEL's own activations.",
        ".studies.bounds.command:bounds", page=".studies.bounds.page:write_page", mark="bounds.json",
    ),
    Study(
        "shrink",
        "Narrow MODEL stage by stage: most accuracy for least energy and latency on an accelerator.",
        ".studies.shrink.command:shrink", page=".studies.shrink.page:write_page", mark="shrink.json",
        stopped=_KEPT.format("networks"),
    ),
    Study(
        "evaluate", "Count energy, latency and area of MODEL on several accelerators, layer by layer.",
        ".studies.evaluate.command:evaluate_command", page=".studies.evaluate.page:write_page",
        mark="evaluation.json",
    ),
    Study(
        "evaluate-accuracy", "Test NETWORK on the same images with reuse and without: top-1, top-5 and hits.",
        ".studies.evaluate_accuracy.command:evaluate_accuracy",
    ),
    Study(
        "speedups",
        "Compare the speed-up of training with the paper's: Figs. 14c and 18, and where cycles are "
        "lost.",
        ".studies.speedups.command:speedups", page=".studies.speedups.page:write_page", mark="speedups.csv",
        stopped=_KEPT.format("networks"),
    ),
    Study(
        "speedups --assumptions",
        "Tabulate every combination of what the paper's text leaves open beside its three means.",
        ".studies.speedups.assumptions.command:assumptions",
        page=".studies.speedups.assumptions.page:write_page", mark="assumptions.json",
        stopped=_KEPT.format("networks"),
    ),
    Study(
        "sweep", "Simulate MODELS on every combination of the accelerator's fields that --set names.",
        ".studies.sweep.command:sweep", page=".studies.sweep.page:write_page", mark="sweep.json",
        stopped=_KEPT.format("parts"),
    ),
    Study(
        "dqn", "Let a network learn an Atari GAME by playing it; how well it plays, and how long it took.",
        ".studies.dqn.command:dqn", page=".studies.dqn.page:write_page", mark="dqn.json", stopped=_SAVED,
    ),
    Study(
        "reproduce", "Try the claims of the paper, and of those who followed it: which hold?",
        ".studies.reproduce.command:reproduce", page=".studies.reproduce.page:write_page",
        mark="reproduction.json", stopped=_KEPT.format("studies"),
    ),
    Study(
        "hardware verilog", "Write MERCURY's array and its baseline as Verilog, with test benches.",
        ".studies.hardware.command:verilog",
    ),
    Study(
        "hardware layer",
        "Let the circuit do a whole layer of MODEL in Verilator: its Hitmap, results and cycles beside the "
        "simulator's.",
        ".studies.hardware.layer_command:layer",
    ),
    Study(
        "hardware power",
        "Count flips in MERCURY's circuits, and what power that is: the paper's Tables II(b) to IV(b).",
        ".studies.hardware.power.command:power", page=".studies.hardware.power.page:write_page",
        mark="power.json", stopped=_KEPT.format("circuits"),
    ),
    Study(
        "hardware synthesize",
        "Count LUTs, registers, block RAMs and DSPs of MERCURY's circuits: the paper's Tables II to IV.",
        ".studies.hardware.synthesis.command:synthesize",
        page=".studies.hardware.synthesis.page:write_page", mark="synthesis.json",
        stopped=_KEPT.format("circuits"),
    ),
    Study(
        "models", "List the networks, or the layers of one: parameters, MACs and what MERCURY compares.",
        ".studies.models.command:models",
    ),
    Study(
        "bench conv", "Convolutions: planted duplicates, principal directions, and activations of VGG16.",
        ".studies.bench.command:conv", tells=True,
    ),
    Study(
        "bench linear",
        "Fully connected layers: planted duplicates, principal directions, and a network's "
        "activations.",
        ".studies.bench.command:linear", tells=True,
    ),
    Study(
        "bench attention", "Attention: planted duplicates among the queries, and a network's own queries.",
        ".studies.bench.command:attention", tells=True,
    ),
    Study(
        "bench train",
        "Whole training steps of NETWORKS, dense and with ReuseConfig.fast(), and the layers it "
        "keeps.",
        ".studies.bench.command:train", tells=True,
    ),
    Study(
        "bench equal",
        "Exact reuse on NETWORKS: limit, time, memory, and how far outputs and gradients are from dense.",
        ".studies.bench.equal.command:equal", tells=True,
    ),
    Study(
        "bench prefixes",
        "Training steps of language models whose batches begin alike, dense and as a tree, and of TRL's "
        "trainers.",
        ".studies.bench.command:prefixes", tells=True,
    ),
    Study(
        "bench front",
        "Error against time: a trained network dense, in the paper's form, with reuse, directions and both.",
        ".studies.front.command:judge", page=".studies.front.page:write_page", mark="front.json",
    ),
    Study(
        "bench schedule",
        "Train NETWORK in every form that finishes sooner, at equal seconds: accuracy against time.",
        ".studies.schedule.command:schedule", page=".studies.schedule.page:write_page", mark="schedule.json",
        stopped="stopped; finished trials and trainings are kept: add --resume to go on",
    ),
)  # fmt: skip
"""All studies. A folder in which no command is stored is of the first one whose mark is in it."""


def named(command: str) -> Study | None:
    """The study that the command line is of: of all whose words it has, the one with most."""
    words = command.split()[1:]
    known = [one for one in STUDIES if words[: len(one.words)] == one.words]
    return max(known, key=lambda one: len(one.words), default=None)


def marked(folder: Path) -> Study:
    """The study that left its mark, where no command is stored: runs of before had none.

    Raises:
        MercuricError: the folder is no finished run's.
    """
    marks = {str(one.mark): one for one in STUDIES if one.mark is not None}
    for mark, one in marks.items():
        if (folder / mark).is_file():
            return one
    raise MercuricError(f"{folder} is not the folder of a finished run: it has none of {', '.join(marks)}")
