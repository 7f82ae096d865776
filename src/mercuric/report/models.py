"""How do the zoo's networks look in the terminal?"""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.experiments.networks import KINDS, UNDER_MERCURY, NetworkCount
from mercuric.report import formats

FIGURES = ("parameters 32", "parameters 224", "MACs 32", "MACs 224")


def models_table(counts: Iterable[tuple[NetworkCount, NetworkCount]]) -> Table:
    """A network a row, from its small and its large form; the layers are the large form's."""
    table = Table(
        box=SIMPLE_HEAD,
        caption=Text(
            "32: the form for small images, 10 classes, at 32 px; 224: the form for ImageNet, 1000 classes, "
            "at 224 px (inception-v4: 299); layers: of the form for ImageNet; MACs: one image, forward"
        ),
    )
    table.add_column("network", no_wrap=True)
    for name in (*FIGURES, *KINDS):
        table.add_column(name, justify="right")
    for small, large in counts:
        figures = (small.parameters, large.parameters, small.macs, large.macs)
        layers = (str(large.number_of(kind) or formats.MISSING) for kind in KINDS)
        table.add_row(Text(small.name), *map(formats.count, figures), *layers)
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
    """One network, a layer a row."""
    table = Table(
        box=SIMPLE_HEAD,
        title=Text(f"{count.name} at {count.image_size} px, {count.classes} classes"),
        caption=Text(
            f"{formats.count(count.parameters)} parameters, "
            f"{formats.count(count.macs)} MACs an image, forward"
        ),
    )
    table.add_column("layer", overflow="fold")
    table.add_column("kind", no_wrap=True)
    for name in ("vectors", "length", "filters", "MACs"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in count.layers:
        figures = (f"{layer.vectors:,}", f"{layer.length:,}", f"{layer.filters:,}", formats.count(layer.macs))
        table.add_row(Text(layer.name), Text(layer.kind), *figures)
    return table
