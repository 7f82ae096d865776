"""How was each figure measured? Said in words, for the reader of the report."""

from mercuric.page import formats
from mercuric.studies.train.summary_file import Summary


def methods(summary: Summary) -> list[tuple[str, str]]:
    """Figure and how it was measured, in the order of the page."""
    name = summary.metric.name
    entries = [("Training", _training(summary)), (name[0].upper() + name[1:], _score(summary))]
    if summary.directions is not None:
        entries.append(("Directions", _DIRECTIONS))
    elif summary.reuse is not None:
        entries += [
            (
                "Hit rate",
                "Each input vector of a dot product gets a signature, the signs of a few projections of it. "
                "HIT: the signature was in the MCACHE and the stored result was reused; MAU: it was "
                "not, the result was computed and kept; MNU: it was not and its set was full, the result was "
                "computed and not kept. All-zero vectors, which ReLU makes in plenty, are counted apart "
                "from similar ones.",
            ),
            (
                "Relative output error",
                "The distance between a layer's output with reuse and its dense output on the same input, "
                "divided by the size of the dense output.",
            ),
        ]
    if summary.cycles is not None:
        entries += [("Cycles", _cycles(summary)), ("Two timings", _TIMINGS)]
    if summary.speedup.published is not None:
        entries.append(("Published", "The speed-up the MERCURY paper (HPCA 2023) prints for this network."))
    entries.append(("Wall-clock time", _wall_clock(summary)))
    return entries


_TIMINGS = (
    "Paper timing: a dot product of the baseline takes 2k cycles on a k x k filter, while a pipelined "
    "signature bit takes k. Fair timing: the baseline's dot products are pipelined as well and take k. "
    "A speed-up that holds in both does not rest on a slow baseline."
)


_DIRECTIONS = (
    "Each layer's outputs are computed in their first principal directions, which are estimated from the "
    "first dense pass; a layer that was not measured to be faster so, or would lose too much, is dense. No "
    "vectors are compared: there are no HITs, and no cycles of an accelerator are simulated. Relative output "
    "error: the distance of a layer's outputs from dense ones on the vectors that directions were "
    "estimated from, divided by the size of the dense ones."
)


def _training(summary: Summary) -> str:
    sizes = [
        formats.number_of(amount, noun)
        if available in (None, amount)
        else f"{amount:,} (drawn once for all runs) of {formats.number_of(available, noun)}"
        for amount, available, noun in (
            (summary.train_images, summary.train_images_available, "training image"),
            (summary.test_images, None, "test image"),
            (summary.train_pairs, summary.train_pairs_available, "training sentence pair"),
            (summary.test_pairs, None, "test sentence pair"),
            (summary.epochs, None, "epoch"),
        )
        if amount is not None
    ]
    seeds = ", ".join(map(str, summary.seeds))
    label = "seed" if len(summary.seeds) == 1 else "seeds"
    sentence = f"{summary.network} on {summary.data}: {', '.join([*sizes, f'{label} {seeds}'])}"
    if summary.batch_size is not None:
        sentence += f", batches of {summary.batch_size}"
    sentence += f"; weights: {summary.weights}." if summary.weights else "."
    if summary.form:
        sentence += f" The network's form: {summary.form}."
    if summary.dense is not None and summary.reuse is not None:
        sentence += f" Dense training and {summary.method} share these settings and seeds."
    return sentence


def _score(summary: Summary) -> str:
    text = summary.metric.meaning
    if len(summary.seeds) > 1:
        text += ", the mean over the seeds."
    else:
        text += "; one seed, so its spread is unknown."
    if summary.reuse is not None and summary.reuse.score_without_reuse is not None:
        text += (
            " Evaluated without reuse: the weights MERCURY trained, with every dot product computed."
            if summary.directions is None
            else " Evaluated as a plain network: the weights that were trained, every layer dense."
        )
    return text


def _cycles(summary: Summary) -> str:
    accelerator = summary.cycles.accelerator if summary.cycles else ""
    text = f"Simulated, not measured: the cycles the accelerator {accelerator} takes for the whole training"
    if summary.reuse is None:
        return f"{text}."
    return (
        f"{text}, MERCURY's from the hits counted in each layer. MERCURY's cycles include its "
        "signatures. Layers with at most as many filters as signature bits can't win and are left dense. "
        "Speed-up is baseline cycles over MERCURY's; below 1 MERCURY is slower."
    )


def _wall_clock(summary: Summary) -> str:
    text = "Seconds of training on the machine named here, evaluation excluded."
    dense, reuse = summary.seconds.dense, summary.seconds.reuse
    if summary.reuse is None:
        return text
    if summary.directions is not None:
        return (
            f"{text} Both in channels_last, one training after the other: mercuric bench front --train lets "
            "them take turns. Estimating directions and measuring layers is included."
        )
    text += " Reuse is the accelerator's mechanism emulated in PyTorch"
    if dense is None or reuse is None:
        return f"{text}; its seconds say nothing about the accelerator."
    if reuse > dense:
        return f"{text}: slower here than dense training, which says nothing about the accelerator."
    return f"{text}; it was no slower here than dense training. The speed-ups are of simulated cycles."
