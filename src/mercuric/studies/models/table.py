"""How do the zoo's networks look in the terminal?"""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.page import formats
from mercuric.studies.models.study import KINDS, UNDER_MERCURY, Kind, NetworkCount


def models_table(counts: Sequence[tuple[NetworkCount, NetworkCount]]) -> Table:
    """A network a row, of those that read images: its small and its large form; layers of the large one."""
    kinds = _kinds([large for _, large in counts])
    table = _networks(
        ("params 32", "params 224", "MACs 32", "MACs 224", *kinds),
        "32: the form for small images, 10 classes, at 32 px; 224: the form for ImageNet, 1000 classes, "
        "at 224 px (inception-v4: 299); layers: of the form for ImageNet; MACs: one image, forward",
    )
    for small, large in counts:
        figures = (small.parameters, large.parameters, small.macs, large.macs)
        table.add_row(Text(small.name), *map(formats.count, figures), *_numbers(large, kinds))
    return table


def translation_table(count: NetworkCount) -> Table:
    """The network that reads sentences, in a row."""
    kinds = _kinds([count])
    table = _networks(
        ("params", "MACs", *kinds),
        f"MACs: one sentence pair, forward, {count.example}{_beside_layers(count)}",
    )
    figures = (count.parameters, count.macs)
    table.add_row(Text(count.name), *map(formats.count, figures), *_numbers(count, kinds))
    return table


def kinds_table() -> Table:
    """What MERCURY does with each kind of layer."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("layer", no_wrap=True)
    table.add_column("under MERCURY")
    for kind, treatment in UNDER_MERCURY.items():
        table.add_row(Text(kind), Text(treatment))
    return table


def model_table(count: NetworkCount) -> Table:
    """One network, a layer's product a row."""
    figures = f"{formats.count(count.parameters)} parameters, {formats.count(count.macs)} MACs, forward"
    table = Table(
        box=SIMPLE_HEAD,
        title=Text(f"{count.name} {count.example}"),
        caption=Text(f"{figures}{_beside_layers(count)}"),
    )
    table.add_column("layer", overflow="fold")
    table.add_column("kind", no_wrap=True)
    for name in ("vectors", "length", "filters", "MACs"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in count.layers:
        numbers = (f"{layer.vectors:,}", f"{layer.length:,}", f"{layer.filters:,}", formats.count(layer.macs))
        table.add_row(Text(layer.name), Text(layer.kind), *numbers)
    return table


def _networks(columns: Sequence[str], caption: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, caption=Text(caption))
    table.add_column("network", no_wrap=True)
    for name in columns:
        table.add_column(name.replace(" ", "\n"), justify="right")  # fits a terminal of 80 columns
    return table


def _kinds(counts: Sequence[NetworkCount]) -> list[Kind]:
    return [kind for kind in KINDS if any(count.number_of(kind) for count in counts)]


def _numbers(count: NetworkCount, kinds: Sequence[Kind]) -> list[str]:
    return [str(count.number_of(kind) or formats.MISSING) for kind in kinds]


def _beside_layers(count: NetworkCount) -> str:
    if not count.macs_beside_layers:
        return ""
    return (
        f"; {formats.count(count.macs_beside_layers)} of them multiply the output by the embedding, which is "
        "no layer: MERCURY leaves that dense"
    )
