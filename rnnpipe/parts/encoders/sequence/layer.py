"""One recurrent layer over a batch: the way that is fastest for its cell."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnpipe.parts.encoders.sequence.cell import Cell, LayerState
from rnnpipe.parts.encoders.sequence.fused import run_fused
from rnnpipe.parts.encoders.sequence.steps import Steps


def run_layer(
    cell: Cell, rows: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
) -> tuple[Tensor, LayerState]:
    """Run a cell over all steps; if it has two directions, the second from the last node back.

    rows: ``(N, n_in)``.
    initial: what each direction begins with, ``(directions, B, ...)`` each, by rank.
    mask: ``(directions, B, width)`` dropout of the recurrent connection, the same at all steps.
    RETURNS: ``(N, directions * width)``, and the state after each document's last node in the order
        in which it was read, ``(directions, B, ...)`` each, by document.
    """
    plain = cell.kernel is not None and not cell.layer_norm and mask is None
    if plain and steps.packed and len(rows) and _fused_is_faster(cell, rows):
        return run_fused(cell, rows, initial, steps)
    x = rows.unsqueeze(0)
    if cell.directions == 2:
        x = torch.stack([rows, rows.index_select(0, steps.mirror)])  # (2, N, n_in)
    h, final = cell.run(x, initial, steps, mask)  # (directions, N, width)
    if cell.directions == 1:
        return h[0], final
    ahead, back = h.unbind(0)
    return torch.cat([ahead, back.index_select(0, steps.mirror)], dim=-1), final


def _fused_is_faster(cell: Cell, rows: Tensor) -> bool:
    """On a CPU the kernels of torch have a slow backward pass, and their LSTM is slower anyway."""
    on_cpu = rows.device.type == "cpu"
    return not on_cpu or (cell.kernel != "lstm" and not torch.is_grad_enabled())
