"""The kernels that torch ships for RNN, GRU and LSTM layers: cuDNN's on a GPU."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from rnnpipe.contracts.compat import private
from rnnpipe.parts.encoders.sequence.cell import Cell, LayerState
from rnnpipe.parts.encoders.sequence.cells import RNNCell
from rnnpipe.parts.encoders.sequence.steps import Steps

_KERNELS = {name: private(f"torch._VF.{name}") for name in ("gru", "lstm", "rnn_relu", "rnn_tanh")}


def run_fused(
    cell: Cell, rows: Tensor, initial: LayerState, steps: Steps
) -> tuple[Tensor, LayerState]:
    """What :func:`rnnpipe.parts.encoders.sequence.layer.run_layer` gives, for packed steps with a
    row at least and a cell whose equations are those of a kernel, without layer normalisation."""
    n = steps.sizes[0]  # empty documents rank last, and the kernels know nothing of them
    weights = _weights(cell, rows)
    begin = [s[:, :n].to(weights[0].dtype) for s in initial]
    kernel = f"rnn_{cell.nonlinearity}" if isinstance(cell, RNNCell) else cell.kernel
    states, *final = _KERNELS[cast(str, kernel)](
        rows.to(weights[0].dtype),
        torch.tensor(steps.sizes, device="cpu"),
        begin if len(begin) > 1 else begin[0],
        weights,
        True,  # there are biases
        1,  # layer
        0.0,  # dropout between layers
        torch.is_grad_enabled(),  # keep what the backward pass needs
        cell.directions == 2,
    )
    after = [torch.cat([f.to(s.dtype), s[:, n:]], 1) for f, s in zip(final, initial, strict=True)]
    to_document = steps.order.argsort()
    dtype = cell.bias.dtype
    return states.to(dtype), tuple(s.index_select(1, to_document) for s in after)


def _weights(cell: Cell, rows: Tensor) -> list[Tensor]:
    """Return the cell's weights the way the kernels want them: transposed, with a second bias
    (zero), in one stretch of memory, and under autocast in the lower precision."""
    dtype = (rows[:1] @ cell.input_weight[0, :, :1]).dtype
    matrices, biases = [], []
    for direction in range(cell.directions):
        recurrent = cell.hidden.matrix
        matrices += [cell.input_weight[direction].t(), recurrent[direction].t()]
        biases += [cell.bias[direction, 0], torch.zeros_like(cell.bias[direction, 0])]
    flat = torch.cat([w.reshape(-1) for w in matrices + biases]).to(dtype)
    parts = torch.split(flat, [w.numel() for w in matrices + biases])
    shaped = [part.view(w.shape) for part, w in zip(parts, matrices + biases, strict=True)]
    pairs = range(0, len(matrices), 2)
    return [w for k in pairs for w in shaped[k : k + 2] + shaped[k + len(matrices) :][:2]]
