"""How was each figure measured? Said in words, for the reader of the report."""

from mercuric.page import formats
from mercuric.studies.train.summary_file import Summary
from mercuric.studies.train.words.known import words_of


def methods(summary: Summary) -> list[tuple[str, str]]:
    """Figure and how it was measured, in the order of the page."""
    name = summary.metric.name
    entries = [("Training", _training(summary)), (name[0].upper() + name[1:], _score(summary))]
    for words in words_of(summary).values():
        entries += words.measured()
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
    names = [words.name for words in words_of(summary).values()]
    if summary.dense is not None and names:
        others = f" and {names[0]}" if len(names) == 1 else f", {formats.listing(names)}"
        sentence += f" Dense training{others} share these settings and seeds."
    return sentence


def _score(summary: Summary) -> str:
    text = summary.metric.meaning
    if len(summary.seeds) > 1:
        text += ", the mean over the seeds."
    else:
        text += "; one seed, so its spread is unknown."
    told = {words.plainly: words.meaning for words in words_of(summary).values()}
    for plainly, meaning in told.items():
        text += f" Evaluated {plainly}: {meaning}."
    return text


def _cycles(summary: Summary) -> str:
    accelerator = summary.cycles.accelerator if summary.cycles else ""
    text = f"Simulated, not measured: the cycles the accelerator {accelerator} takes for the whole training"
    if not summary.compared:
        return f"{text}."
    return (
        f"{text}, MERCURY's from the hits counted in each layer. MERCURY's cycles include its "
        "signatures. Layers with at most as many filters as signature bits can't win and are left dense. "
        "Speed-up is baseline cycles over MERCURY's; below 1 MERCURY is slower."
    )


def _wall_clock(summary: Summary) -> str:
    text = "Seconds of training on the machine named here, evaluation excluded."
    told = words_of(summary)
    timed = [words.name for words in told.values() if words.timed]
    if timed and summary.dense is not None:
        text += (
            f" Dense training and {formats.listing(timed)} are both in channels_last, and take turns: a step "
            "of each."
        )
    return " ".join([text, *(words.clock(summary, run) for run, words in told.items())])
