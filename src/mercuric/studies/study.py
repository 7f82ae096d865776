"""What is a study, and which are there?

A study is a folder of this package: ``config.py`` (what is asked), ``study.py`` (the run, which needs no
terminal and knows no page), ``page.py`` (how a folder that it filled becomes a page) and ``command.py`` (its
command line), as far as it has these; and one entry of :data:`STUDIES`, which is all that the command
``mercuric`` and ``mercuric report`` read. What an entry names is imported when it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

WritePage = Callable[[Path, str], Path]
"""Called with a folder and the command that filled it; writes the page from the files there and names it."""


@dataclass(frozen=True)
class Study:
    """Something that is measured or made by one command.

    Attributes:
        name: the words of its command line after ``mercuric``; one that begins with ``--`` may stand anywhere
            among the options.
        help: what it does, in a sentence.
        command: ``"module:function"``; Typer makes the options of the function's parameters. A module that
            begins with a dot is of this package.
        page: the :data:`WritePage` of a study that has a page, named in the same way.
        mark: a file that tells a folder of this study where no command is stored in it.
        stopped: what Ctrl-C leaves behind.
    """

    name: str
    help: str
    command: str
    page: str | None = None
    mark: str | None = None
    stopped: str = "stopped"

    def load_command(self) -> Callable[..., object]:
        """The function behind the command line."""
        return cast("Callable[..., object]", _load(self.command))

    def load_page(self) -> WritePage | None:
        """What writes the page, or None where there is none."""
        return None if self.page is None else cast("WritePage", _load(self.page))


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module, __package__), name)


GROUPS = {"bench": "Time layers and networks on this machine's CPU, dense beside reuse."}
"""What the studies whose names begin with the same word are for."""

_KEPT = "stopped; finished {} are kept: add --resume to go on"
_SAVED = "stopped; what was saved is kept, and the same command with --resume goes on from it"

STUDIES = (
    Study(
        "train", "Train MODEL with MERCURY or --fast (and densely, with --compare); write a folder with a "
        "report.", ".train.command:train", ".train.page:write_page", "summary.json", _SAVED,
    ),
    Study(
        "simulate", "Count the cycles that MODEL takes on real images, with and without MERCURY.",
        ".simulate.command:simulate",
    ),
    Study(
        "hitmap", "Write which vectors of each layer of MODEL reuse a result, a line a batch.",
        ".hitmap.command:hitmap", mark="run.json",
    ),
    Study(
        "similarity", "Find similar vectors in MODEL on real images; write a folder with CSV files and a "
        "report.", ".similarity.command:similarity", ".similarity.page:write_page", "study.json",
    ),
    Study(
        "accuracy", "Train networks densely and with MERCURY, over seeds, and write the table of what that "
        "costs.", ".accuracy.command:accuracy", ".accuracy.table:write_page", "accuracy.csv", _SAVED,
    ),
    Study(
        "bounds", "Compare MERCURY with UCNN, zero pruning and unlimited similarity on MODEL's own "
        "activations.", ".bounds.command:bounds", ".bounds.page:write_page", "bounds.json",
    ),
    Study(
        "shrink", "Narrow MODEL stage by stage: most accuracy for least energy and latency on an "
        "accelerator.", ".shrink.command:shrink", ".shrink.page:write_page", "shrink.json",
        _KEPT.format("networks"),
    ),
    Study(
        "evaluate", "Count energy, latency and area of MODEL on several accelerators, layer by layer.",
        ".evaluate.command:evaluate_command", ".evaluate.page:write_page", "evaluation.json",
    ),
    Study(
        "evaluate-accuracy", "Test NETWORK on the same images with reuse and without: top-1, top-5 and hits.",
        ".evaluate_accuracy.command:evaluate_accuracy",
    ),
    Study(
        "speedups", "Compare the speed-up of training with the paper's: Figs. 14c and 18, and where cycles "
        "are lost.", ".speedups.command:speedups", ".speedups.page:write_page", "speedups.csv",
        _KEPT.format("networks"),
    ),
    Study(
        "sweep", "Simulate MODELS on every combination of the accelerator's fields that --set names.",
        ".sweep.command:sweep", ".sweep.page:write_page", "sweep.json", _KEPT.format("parts"),
    ),
    Study(
        "models", "List the networks, or the layers of one: parameters, MACs and what MERCURY compares.",
        ".models.command:models",
    ),
    Study(
        "bench conv", "Convolutions: planted duplicates, principal directions, and activations of VGG16.",
        ".bench.command:conv",
    ),
    Study(
        "bench linear", "Fully connected layers: planted duplicates, principal directions, and a network's "
        "activations.", ".bench.command:linear",
    ),
    Study(
        "bench attention", "Attention: planted duplicates among the queries, and a network's own queries.",
        ".bench.command:attention",
    ),
    Study(
        "bench train", "Whole training steps of NETWORKS, dense and with ReuseConfig.fast(), and the layers "
        "it keeps.", ".bench.command:train",
    ),
    Study(
        "bench front", "Error, or with --train accuracy, against time: dense, the paper's form, reuse, "
        "directions, both.", ".front.command:judge", ".front.page:write_page", "front.json",
    ),
    Study(
        "bench front --train", "Accuracy against seconds of training: directions beside dense on shorter "
        "schedules.", ".front.command:train", ".front.page:write_page",
        stopped="stopped; trainings that were saved are kept, and the same command with --resume goes on "
        "from them",
    ),
)  # fmt: skip
"""All studies. A folder in which no command is stored is of the first one whose mark is in it."""
