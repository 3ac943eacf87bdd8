"""Recurrent layers on top of each other: what forward and bidirectional encoders have in common."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from rnnpipe.layers.dropout import Dropout
from rnnpipe.parts.encoders.sequence.cell import Cell, LayerState
from rnnpipe.parts.encoders.sequence.layer import run_layer
from rnnpipe.parts.encoders.sequence.settings import MakeCell, RecurrentSettings
from rnnpipe.parts.encoders.sequence.steps import Steps
from rnnpipe.structures import Sequences


class RecurrentStack(nn.Module):
    """Layers of one cell. Layer k reads the states of layer k - 1, dropped out.

    n_in: width of the nodes.
    cell: makes a layer's cell.
    """

    structure: type = Sequences
    directions: int

    def __init__(self, n_in: int, settings: RecurrentSettings, cell: MakeCell) -> None:
        super().__init__()
        self.n_out = self.directions * settings.width
        self.skip = settings.skip
        self.residual = settings.residual
        self.dropout = Dropout(settings.dropout, settings.locked)
        self.recurrent_dropout = Dropout(settings.recurrent_dropout, locked=True)
        self.weight_dropout = Dropout(settings.weight_dropout)
        upper = self.n_out + (n_in if settings.skip else 0)
        sizes = [n_in] + [upper] * (settings.depth - 1)
        told = settings.width, self.directions, settings.layer_norm
        self.cells = nn.ModuleList(cell(n, *told) for n in sizes)

    @property
    def layers(self) -> list[Cell]:
        return [cast(Cell, cell) for cell in self.cells]

    def initial(self, batch_size: int) -> tuple[LayerState, ...]:
        """Return each layer's state before the first node: zeros, ``(directions, B, ...)`` each."""
        return tuple(cell.initial(batch_size) for cell in self.layers)

    def run(
        self,
        inputs: Tensor,
        structure: Sequences,
        initial: tuple[LayerState, ...],
        lowest: int = -1,
    ) -> tuple[list[Tensor], tuple[LayerState, ...]]:
        """Return all layers over all steps.

        inputs: ``(B, T, n_in)``.
        initial: by document, ``(directions, B, ...)`` each.
        lowest: the first layer whose states are returned.
        RETURNS: from that layer to the top, ``(B, T, n_out)``, zeros at padding; and every layer's
            final state, as ``initial``.
        """
        steps = Steps.of(structure)
        source = rows = steps.pack(inputs)  # (N, n_in)
        outputs, finals = [], []
        for number, (cell, begin) in enumerate(zip(self.layers, initial, strict=True)):
            x = self._above(rows, source, steps) if number else rows
            ranked = tuple(s.index_select(1, steps.order) for s in begin)
            mask = self._recurrent_mask(ranked[0])
            with cell.dropped(self.weight_dropout):
                states, final = run_layer(cell, x, ranked, steps, mask)
            rows = rows + states if self.residual and number else states
            outputs.append(rows)
            finals.append(final)
        return [steps.unpack(rows, structure) for rows in outputs[lowest:]], tuple(finals)

    def _above(self, rows: Tensor, source: Tensor, steps: Steps) -> Tensor:
        """What a layer above the first reads."""
        if self.dropout.locked:
            shape = (len(steps.order), rows.shape[1])
            x = rows * self.dropout.mask(shape, like=rows).index_select(0, steps.rank)
        else:
            x = self.dropout(rows)
        return torch.cat([x, source.to(x.dtype)], dim=-1) if self.skip else x

    def _recurrent_mask(self, h: Tensor) -> Tensor | None:
        if not self.training or self.recurrent_dropout.rate == 0.0:
            return None
        return self.recurrent_dropout.mask(tuple(h.shape), like=h)
