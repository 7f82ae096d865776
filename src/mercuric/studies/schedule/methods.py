"""How was the front of cheap training measured?"""

from collections.abc import Mapping
from typing import Any

from mercuric.page import formats


def methods(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Terms and how they were measured, for the foot of the page."""
    config = summary["config"]
    least, most = config["learning_rates"]
    batches = formats.listing([str(one) for one in config["batches"]])
    precisions = formats.listing(config["precisions"])
    return [
        (
            "Equal seconds",
            "A step of each form is timed in turn with dense's; the median ratio, times dense's seconds, "
            "says how many steps fill a share of these, each share with a whole one-cycle schedule. "
            'Seconds of training hold everything but tests, timing and compiling; "filled" says how many '
            "were taken of those that were to be filled.",
        ),
        (
            "Dense",
            f"PyTorch's own layers, in the fastest of channels_last and contiguous, of {precisions}"
            f"{_compiled(summary)}, as measured here; every other form has its own fastest setting of the "
            "same. At less than 100 % it is dense training on a shortened schedule.",
        ),
        (
            "Tuning",
            f"{formats.number_of(config['trials'], 'trial')} of learning rate ({least:g} to {most:g}, "
            f"logarithmic) and batch ({batches}) for each form, by Optuna's TPE sampler; the first is "
            "the same for all. A trial fills "
            f"{config['tuned_at']:.0%} of dense's seconds, trains on a part of the training images and is "
            "judged on others of them. Test images judge trainings alone.",
        ),
        (
            "Training",
            f"SGD with Nesterov momentum 0.9 and weight decay 5e-4 on {summary['examples']:,} images. "
            f"Seeds {', '.join(map(str, config['seeds']))}; spreads are standard deviations over them. A "
            "gain is over dense of the same seed and the same seconds; level is what lies within the spread.",
        ),
        (
            "Diverged",
            "A training whose loss is no longer finite counts as one that guesses, at an accuracy of "
            f"1 / {summary['classes']}.",
        ),
        (
            "Peers",
            "Each is a short implementation of its own of the published method, checked against a figure "
            "that its authors published: docs/front.md.",
        ),
    ]


def _compiled(summary: Mapping[str, Any]) -> str:
    if any(form["compiling"] for form in summary["forms"]):
        return ", and torch.compile"
    works = "was not tried" if not summary["config"]["compiled"] else "doesn't work on this machine"
    return f"; torch.compile {works}"
