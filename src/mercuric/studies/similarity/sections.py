"""What do the parts of a similarity report show, and what does one read in them?"""

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import formats
from mercuric.page.chart import Picture, named
from mercuric.page.layer_charts import cycle_chart
from mercuric.page.parts import Paragraph, Part, Section, Side
from mercuric.studies.similarity.charts import (
    bits_chart,
    found_chart,
    layer_bits_chart,
    product_chart,
    similarity_chart,
    trained_chart,
    unique_chart,
)
from mercuric.studies.similarity.folder import Study
from mercuric.studies.similarity.hitmaps import hitmap_picture
from mercuric.studies.similarity.training import Trained
from mercuric.studies.train.adaptation import adaptation_sentence, switch_chart
from mercuric.studies.train.adaptation import bits_chart as grown_chart
from mercuric.studies.train.curves import score_chart

_GRADIENT = "input_gradient"


def sections(study: Study, trained: Trained | None) -> list[Section]:
    """Every part of the page, in the order in which one understands them."""
    parts = [_alike(study), _hitmaps(study), _layers(study), _lengths(study), _unique_vectors(study)]
    return parts if trained is None else [*parts, _training(trained)]


def _alike(study: Study) -> Section:
    layers = study.tables["layers"]
    note = (
        "How many vectors have the signature of an earlier one: input vectors in the forward pass, "
        "gradient vectors in the backward pass. Pale: vectors of zeros alone, which any zero skipping finds."
    )
    note += _highest(layers)
    title = "How much is alike, layer by layer (Fig. 1)"
    picture = _picture("fig1", title, note, similarity_chart(layers), study)
    return Section("alike", "Which vectors are alike", [picture])


def _highest(layers: pd.DataFrame) -> str:
    said = []
    for product, what in (("forward", "input"), (_GRADIENT, "gradient")):
        rows = layers[layers["product"] == product]
        if len(rows):
            best = rows.iloc[int(rows["similar"].argmax())]
            said.append(f"{formats.percent(best['similar'])} of {what} vectors in {best['layer']}")
    return f" The most similar: {formats.listing(said)}." if said else ""


def _hitmaps(study: Study) -> Section:
    maps = study.tables["maps"]
    if maps.empty:
        return Section("hitmap", "Where they are alike", [])
    note = (
        "Each point is one window of the image of most contrast. HIT: its signature was known, the result is "
        "reused. MAU: it is new, the result is computed and kept. MNU: it is new and its set of the MCACHE "
        "is full, the result is computed and not kept. Windows are looked up row by row, so the first of a "
        "kind is computed. Of later layers, the channel with the fewest zero vectors."
    )
    chart = hitmap_picture(maps, study.folder / "image.png")
    picture = _picture("fig9", "Hitmaps (Fig. 9)", note, chart, study)
    return Section("hitmap", "Where they are alike", [picture])


def _layers(study: Study) -> Section:
    layers = study.tables["layers"]
    figures = [
        _picture(
            "fig15a", "What the MCACHE said of input vectors (Fig. 15a)",
            "A bar is all input vectors of a layer. Blue ones reused a result; the others were computed.",
            product_chart(layers, "forward"), study,
        )
    ]  # fmt: skip
    gradients = layers[layers["product"] == _GRADIENT]
    if len(gradients):
        saved = int((gradients["bits"] == 0).sum())
        note = (
            f"The same of gradient vectors. Of {formats.number_of(len(gradients), 'layer')}, {saved} went by "
            "the signatures that the following layer's forward pass saved (III-C2), the others by their own."
        )
        chart = product_chart(layers, _GRADIENT)
        figures.append(_picture("fig15a-gradient", "What it said of gradient vectors", note, chart, study))
    figures += [_cycles(study), _unique(study)]
    return Section("layers", "Layer by layer", figures)


def _cycles(study: Study) -> Picture:
    cycles = study.tables["cycles"]
    loses = int((cycles["cycles_mercury"] > cycles["cycles_baseline"]).sum())
    note = (
        "Simulated cycles of this one training step, forward and backward, paper timing, with reuse on in "
        f"every layer. MERCURY takes more in {loses} of {formats.number_of(len(cycles), 'layer')}; the "
        "paper turns such layers off (III-D)."
    )
    chart = cycle_chart(cycles, "cycles of one training step")
    return _picture("fig15b", "Where the cycles go (Fig. 15b)", note, chart, study)


def _unique(study: Study) -> Picture:
    note = (
        "Distinct signatures in one channel of one image (in the batch, for a fully connected layer), "
        "counted with an unlimited MCACHE, beside all vectors there; logarithmic. A dot at the dash has "
        "nothing to reuse."
    )
    chart = unique_chart(study.tables["channels"])
    return _picture("fig15c", "How many vectors are unique (Fig. 15c)", note, chart, study)


def _lengths(study: Study) -> Section:
    by_bits = study.tables["bits"]
    words = _subject(study, f"{by_bits['bits'].min()} to {by_bits['bits'].max()} bits")
    note = "The step run again at each length: longer signatures tell vectors apart that shorter ones don't."
    parts = [Picture("bits", "All layers together", note, named(bits_chart(by_bits), words))]
    for product, what in (("forward", "input"), (_GRADIENT, "gradient")):
        if (by_bits["product"] == product).any():
            note = f"Share of each layer's {what} vectors that are similar to an earlier one; zeros left out."
            picture = named(layer_bits_chart(by_bits, product), words)
            parts.append(Picture(f"bits-{product}", f"Similar {what} vectors by layer", note, picture))
    return Section("lengths", "What longer signatures find", parts)


def _unique_vectors(study: Study) -> Section:
    unique = study.tables["unique"]
    drawn, windows = (unique[unique["vectors"] == name] for name in ("random", "photograph"))
    draws = formats.number_of(int(unique["draws"].iloc[0]), "draw")
    intro = (
        "Ten random vectors of ten elements and ten similar ones of each (plus epsilon, normal): a "
        f"perfect method finds ten. Bars are the deviation over {draws}; the dashed line is the truth."
    )
    parts = []
    for place, epsilon in enumerate(sorted(drawn["epsilon"].unique().tolist())):
        chart = named(found_chart(drawn[drawn["epsilon"] == epsilon]), f"drawn vectors, no network; {draws}")
        parts.append(Picture(f"fig3-{place}", f"Epsilon {epsilon:g}", _closest(drawn, epsilon), chart))
    note = (
        f"{windows['of'].iloc[0]:,} windows of 3x3 pixels of the image shown above, of which "
        f"{windows['known'].iloc[0]:,.0f} differ in some element. Nobody knows how many are similar; where a "
        "curve flattens, a longer signature tells no more apart."
    )
    words = f"the network's input, no weights; {study.summary.data}, {study.summary.image_size} px; {draws}"
    chart = named(found_chart(windows), words)
    last = Picture("fig3-photograph", "Windows of the image", note, chart)
    return Section("unique", "RPQ and Bloom filter (Fig. 3)", [Paragraph(intro), Side(parts), last])


def _closest(drawn: pd.DataFrame, epsilon: float) -> str:
    """What each method finds with the longest signature, in words."""
    rows = drawn[(drawn["epsilon"] == epsilon) & (drawn["bits"] == drawn["bits"].max())]
    said = [f"{row['method']} finds {row['unique']:.1f}" for _, row in rows.iterrows()]
    return f"With {int(drawn['bits'].max())} bits {formats.listing(said)} of 10."


def _training(trained: Trained) -> Section:
    words = f"run {trained.name}"
    if trained.summary is not None:
        seeds = formats.number_of(len(trained.summary.seeds), "seed")
        words += f": {trained.summary.network} on {trained.summary.data}, trained from scratch, {seeds}"
    parts: list[Part] = [Paragraph(sentence) for sentence in trained.missing]
    if trained.summary is not None:
        note = "Test score at the end of training: a dot a seed, the line their mean."
        parts.append(
            Picture(
                "fig13", "Scores, dense and MERCURY (Fig. 13)", note, named(trained_chart(trained), words)
            )
        )
        if trained.metrics is not None and not trained.metrics.epochs.empty:
            chart = named(score_chart(trained.metrics.epochs, trained.summary.metric), words)
            parts.append(Picture("fig13-epochs", "Scores by epoch", "On all test examples.", chart))
    if trained.adaptation is not None:
        said = adaptation_sentence(trained.adaptation)
        log = trained.adaptation
        parts.append(
            Picture("fig14a-bits", "Signature length by step (III-D)", said, named(grown_chart(log), words))
        )
        note = "In which steps each layer looked for similarity (blue) and in which it did not (grey)."
        parts.append(Picture("fig14a", "Layers on and off (Fig. 14a)", note, named(switch_chart(log), words)))
    return Section("training", "What a training run adds", parts)


def _subject(study: Study, bits: str) -> str:
    """What stands over every picture of the network: its weights among it."""
    return f"{study.summary.subject}; {bits}"


def _picture(identity: str, title: str, note: str, chart: go.Figure, study: Study) -> Picture:
    return Picture(identity, title, note, named(chart, _subject(study, f"{study.summary.bits} bits")))
