"""How does a convolution go by the classes of its windows, and up to how many of them?"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.kernels import Window, class_convolution, gather
from mercuric.reuse.equal.layer import Decision, EqualLayer
from mercuric.reuse.equal.pass_record import is_recomputed, unseen_by_checkpoints
from mercuric.reuse.equal.shared_tensor import SharedTensor
from mercuric.reuse.equal.speed import convolution_speed
from mercuric.reuse.equal.table import Table, table_of
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.precision import autocast, left_to_torch
from mercuric.reuse.row_products import multiply
from mercuric.reuse.vectors import vectors_of


def convolve(
    images: Tensor, filters: Tensor, offsets: Tensor | None, geometry: ConvGeometry, state: EqualLayer
) -> SharedTensor | None:
    """The product with a row a class of windows; None where it is dense, and the layer may know why.

    Args:
        images: (N, C, H, W).
        filters: (M, C / groups, rows, columns).
        offsets: (M,) or None.
        geometry: where the kernel lies.
        state: the layer's.
    """
    table = table_of(images)
    if table is None or table.flat or table.channel != 1 or left_to_torch(table.rows, filters, offsets):
        return None
    geometry.check_size(images, state.name)
    if geometry.padding_mode != "zeros":
        table = table_of(F.pad(images, list(geometry.pads), mode=geometry.padding_mode))
        if table is None:
            return None
    left, right, above, below = geometry.pads if geometry.padding_mode == "zeros" else (0, 0, 0, 0)
    window = Window(geometry.kernel_size, geometry.stride, (above, below, left, right), geometry.dilation)
    filters, offsets, rows = autocast(filters), autocast(offsets), autocast(table.rows)
    decision = _decision(state, table, filters, geometry, window)
    down, across = window.output(*table.shape[2:])
    most = int(decision.share * table.shape[0] * down * across)
    tiles = window.tiles() if geometry.groups == 1 else None
    tiled = None if tiles is None else table.classes.windows(tiles[0])
    given, over = (tiled[0], tiles[1]) if tiles and tiled else (table.classes, window)
    found = given.windows(over, most)
    if found is None:
        state.why = f"more than {most} of its windows differ"
        return None
    classes, members = found
    if tiles and tiled:
        rows, filters = gather(rows, tiled[1]), _over_tiles(filters, *tiles)
    if classes is given and geometry.groups == 1:
        output = multiply(rows, filters.flatten(1), offsets)
    else:
        output = class_convolution(rows, filters, offsets, members, geometry.groups)
    state.shared(classes.number, classes.positions, decision, len(filters))
    vectors = partial(vectors_of, geometry, images, "patch", state.config.scope)
    state.tell(classes, vectors, table.rows.requires_grad)
    return table.with_rows(output, classes)


def _over_tiles(filters: Tensor, tile: Window, window: Window) -> Tensor:
    """Filters (M, C, H, W) over rows of a tile's pixels side by side: (M, pixels x C, down, across)."""
    (high, wide), (down, across) = tile.kernel, window.kernel
    count, channels = filters.shape[:2]
    apart = filters.reshape(count, channels, down, high, across, wide)
    return apart.permute(0, 3, 5, 1, 2, 4).reshape(count, -1, down, across)


def _decision(
    state: EqualLayer, table: Table, filters: Tensor, geometry: ConvGeometry, window: Window
) -> Decision:
    """Taken once in a pass, so that what is computed again goes the same way."""
    if state.config.most is not None:
        return Decision(state.config.most)
    inputs = table.rows.requires_grad
    backward = torch.is_grad_enabled() and (inputs or filters.requires_grad)
    mode = (backward, filters.dtype, filters.device, torch.get_num_threads())
    call = (state.name, table.shape, table.classes.number)
    taken: Decision | None = table.record.decided.get(call)
    if taken is not None and (taken.mode == mode or is_recomputed()):
        return taken
    with unseen_by_checkpoints():
        speed = convolution_speed(table.shape, filters, geometry, window, table.format, backward, inputs)
    decision = table.record.decided[call] = state.decide(mode, speed)
    return decision
