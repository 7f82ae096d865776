"""How does a similarity study become one page?"""

from pathlib import Path

from mercuric.page import formats
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page
from mercuric.studies.similarity.folder import Study, StudySummary, read_study
from mercuric.studies.similarity.sections import sections
from mercuric.studies.similarity.training import kept_training
from mercuric.trace.normalisation import SHOWN


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` into a study's folder and return its path.

    Raises:
        MercuricError: a file is missing, broken or not writable; names it.
    """
    study = read_study(folder)
    summary = study.summary
    page = Page(
        title=f"{summary.model} on {summary.data}: Mercuric similarity study",
        kicker="similarity study",
        subject=f"{summary.model}, {summary.weights}",
        headline=_headline(summary),
        lead=_lead(summary),
        cards=_cards(study),
        sections=sections(study, kept_training(folder)),
        methods=_methods(summary),
        machine=machine_facts(summary.machine),
        command=command,
    )
    return write(page, folder)


def _headline(summary: StudySummary) -> str:
    said = [
        f"{formats.percent(rates.similar_rate)} of the {what} vectors"
        for product, what in (("forward", "input"), ("input_gradient", "gradient"))
        if (rates := summary.similarity.get(product))
    ]
    return (
        f"In {summary.model} with {summary.weights}, {formats.listing(said)} are similar to an earlier one."
    )


def _lead(summary: StudySummary) -> str:
    rates = summary.similarity["forward"]
    images = formats.number_of(summary.images, "image")
    return (
        f"One training step on {images} of {summary.data} ({summary.image_size} x {summary.image_size} "
        f"pixels), {summary.bits}-bit signatures, reuse in the paper's form in every layer. Vectors of "
        f"zeros alone are counted apart: {formats.percent(rates.zero_rate)} of the input vectors are."
    )


def _cards(study: Study) -> list[Card]:
    summary, channels = study.summary, study.tables["channels"]
    cards = []
    for product, what in (("forward", "input"), ("input_gradient", "gradient")):
        rates = summary.similarity.get(product)
        if rates is not None:
            zero = formats.percent(rates.hit_rate - rates.similar_rate)
            cards.append(
                Card(
                    f"Similar {what} vectors",
                    formats.percent(rates.similar_rate),
                    f"and {zero} hits of zeros",
                )
            )
    rows = channels[channels["product"] == "forward"]
    unique, vectors = (float((rows[name] * rows["scopes"]).sum()) for name in ("unique", "vectors"))
    beside = f"of {formats.count(vectors)} input vectors"
    cards.append(Card("Unique vectors", formats.count(unique), beside))
    cards.append(Card("Signature", f"{summary.bits} bits", "the paper's length at the start is 20"))
    return cards


def _form(summary: StudySummary) -> str:
    return "" if summary.form is None else f" The network's form: {summary.form}."


def _methods(summary: StudySummary) -> list[tuple[str, str]]:
    return [
        ("Weights", f"{summary.weights}.{_form(summary)}"),
        ("Normalisation", f"{SHOWN.get(summary.normalisation, summary.normalisation)}.".capitalize()),
        (
            "Step",
            "Forward and backward of one batch in training mode, cross entropy against the data set's "
            "labels; no weight changes. Input vectors are windows of one channel, the MCACHE has 1024 "
            "entries in 16 ways and is cleared for each image and channel (paper VI).",
        ),
        (
            "Gradient vectors",
            "Windows of the gradient that comes back to a layer. Where the following layer's filters have "
            "the same size, its saved signatures say which are alike (III-C2); elsewhere they get their "
            "own.",
        ),
        (
            "Unique vectors",
            "Distinct signatures: what an unlimited MCACHE inserts in a step of its own. Its later layers "
            "see slightly other inputs, as more results are reused before them.",
        ),
        (
            "Bloom filter",
            "Each element is rounded to a multiple of 0.5 (data have a deviation near 1); the pair of "
            "position and level sets one bit of an n-bit filter, and vectors with equal filters count as "
            "one. The paper leaves the construction and epsilon open, so its Fig. 3 can be followed in "
            "kind only.",
        ),
    ]
