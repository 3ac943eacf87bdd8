"""One recurrent layer over a batch: the way that is fastest for its cell."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from rnnpipe.encoders.cells import Cell, Drop, LayerState, keep
from rnnpipe.encoders.compiled_lstm import lstm_compiles, run_compiled_lstm
from rnnpipe.encoders.fast_lstm import run_lstm
from rnnpipe.encoders.fused import run_fused
from rnnpipe.encoders.lstm_cells import LSTMCell
from rnnpipe.encoders.steps import Steps


def run_layer(
    cell: Cell, rows: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
) -> tuple[Tensor, LayerState]:
    """Run a cell over all steps; if it has two directions, the second from the last node back.

    rows: ``(N, n_in)``.
    initial: what each direction begins with, ``(directions, B, width)`` each, by rank.
    mask: ``(directions, B, width)`` dropout of the recurrent connection, the same at all steps.
    RETURNS: ``(N, directions * width)``, and the state after each document's last node in the order
        in which it was read, ``(directions, B, width)`` each, by document.
    """
    plain = cell.kernel is not None and not cell.layer_norm and mask is None
    if plain and steps.packed and len(rows) and _fused_is_faster(cell, rows):
        return run_fused(cell, rows, initial, steps)
    x = rows.unsqueeze(0)
    if cell.directions == 2:
        x = torch.stack([rows, rows.index_select(0, steps.mirror)])  # (2, N, n_in)
    if plain and isinstance(cell, LSTMCell):
        run = run_compiled_lstm if lstm_compiles(x, cell.bias, *initial) else run_lstm
        states = run(cell, x, initial, steps)
    else:
        states = run_steps(cell, x, initial, steps, mask)
    final = tuple(s.index_select(1, steps.last) for s in states)
    h = states[0][:, initial[0].shape[1] :]  # (directions, N, width)
    if cell.directions == 1:
        return h[0], final
    ahead, back = h.unbind(0)
    return torch.cat([ahead, back.index_select(0, steps.mirror)], dim=-1), final


def _fused_is_faster(cell: Cell, rows: Tensor) -> bool:
    """On a CPU the kernels of torch have a slow backward pass, and their LSTM is slower anyway."""
    on_cpu = rows.device.type == "cpu"
    return not on_cpu or (cell.kernel != "lstm" and not torch.is_grad_enabled())


def run_steps(
    cell: Cell, x: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
) -> LayerState:
    """Any cell: the input's share at once, then :meth:`Cell.step` by step.

    x: ``(directions, N, n_in)``; the rest as in :func:`run_layer`.
    RETURNS: the initial states, then those after each row, ``(directions, B + N, width)`` each.
    """
    history = [initial]
    state, drop = initial, cast(Drop, keep)
    for x_t in torch.split(cell.project(x), steps.sizes, dim=1):
        n = x_t.shape[1]
        if mask is not None:
            drop = mask[:, :n].mul
        state = cell.step(x_t, tuple(s[:, :n] for s in state), drop)
        history.append(state)
    return tuple(torch.cat(states, dim=1) for states in zip(*history, strict=True))
