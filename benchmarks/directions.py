"""How many directions hold a trained network's outputs, and does similarity find what they leave out?

For each convolution of VGG16 with HED's weights, on photographs: the relative error of its outputs in r
principal directions of its inputs, in r of its outputs, and in those of its outputs with the rest shared by
vectors of an image whose first six components have equal signs (one member, or the mean of four).
Directions are estimated on one half of the sampled vectors and tested on the other.
"""

import argparse

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from mercuric.reuse.directions.product import Placement
from mercuric.reuse.directions.residual.groups import groups_of, sign_codes
from mercuric.reuse.directions.residual.window_pixels import WindowPixels
from mercuric.subjects.config import SubjectConfig
from mercuric.subjects.subject import load_subject

SHARES = (16, 8, 4, 2)
BITS = 6
SAMPLES = 2048


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3, help="photographs")
    arguments = parser.parse_args()
    loaded = load_subject(SubjectConfig(model="vgg16", weights="vgg16-hed"), arguments.images, 1)
    network = loaded.network.eval()
    calls: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(
                lambda _, given, output, name=name: calls.setdefault(name, []).append(
                    (given[0], output.clone())
                )
            )
    table = Table(
        title="error in directions of the inputs / of the outputs / with the rest shared, 1 / 4 members"
    )
    for column in ("layer", "channels, filters, size", *(f"rank M/{share}" for share in SHARES)):
        table.add_column(column, justify="right")
    with torch.no_grad():
        for batch in loaded.batches():
            network(batch)
        for name, seen in calls.items():
            layer = network.get_submodule(name)
            shape = f"{layer.in_channels}, {layer.out_channels}, {seen[0][1].shape[-1]}"
            table.add_row(name, shape, *errors(layer, seen))
    Console(width=200).print(table)


def errors(layer: nn.Module, seen: list[tuple[Tensor, Tensor]]) -> list[str]:
    """The four errors at each rank, as text."""
    weight = layer.weight.permute(0, 2, 3, 1).flatten(1)
    placement = Placement(layer.stride, layer.padding, layer.dilation)
    windows, outputs = [], []
    for given, output in seen:
        rows = output.permute(0, 2, 3, 1).flatten(0, 2) - layer.bias
        vectors = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:SAMPLES]
        windows.append(WindowPixels.of(given, layer.kernel_size, placement).gather(vectors))
        outputs.append(rows)
    sampled = torch.cat(windows)
    learnt, tested = sampled[::2], sampled[1::2]
    _, _, inputs = torch.linalg.svd(learnt, full_matrices=False)
    basis, _, _ = torch.linalg.svd((learnt @ weight.T).T, full_matrices=False)
    exact = tested @ weight.T
    texts = []
    for share in SHARES:
        rank = len(weight) // share
        by_inputs = relative(tested @ inputs[:rank].T @ inputs[:rank] @ weight.T, exact)
        by_outputs = relative(exact @ basis[:, :rank] @ basis[:, :rank].T, exact)
        shared = [with_rest_shared(outputs, basis[:, :rank], members) for members in (1, 4)]
        texts.append(f"{by_inputs:.3f} / {by_outputs:.3f} / {shared[0]:.3f} / {shared[1]:.3f}")
    return texts


def with_rest_shared(outputs: list[Tensor], basis: Tensor, members: int) -> float:
    """Error over all images where groups share what the directions leave out."""
    found = []
    for rows in outputs:
        components = rows @ basis
        bits = min(BITS, basis.shape[1])
        groups = groups_of(sign_codes(components, 1, bits), 1 << bits, members)
        rest = rows - components @ basis.T
        inside = groups.members >= 0
        chosen = rest[groups.members.clamp(min=0)] * inside[..., None]
        found.append(components @ basis.T + (chosen.sum(1) / groups.counts[:, None])[groups.number])
    return relative(torch.cat(found), torch.cat(outputs))


def relative(found: Tensor, exact: Tensor) -> float:
    """||found - exact|| / ||exact||."""
    return float(torch.linalg.vector_norm(found - exact) / torch.linalg.vector_norm(exact))


if __name__ == "__main__":
    main()
