"""What an edge does to the state that it carries, by its type."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.encoders.tree_cells import recurrent_blocks
from rnnpipe.structures import DagStep


class EdgeMatrices(nn.Module):
    """``U_m h``: a matrix for each type m of edges, for each gate (Peng et al. 2017, the "full
    parametrization")."""

    def __init__(self, n_types: int, width: int, gates: int) -> None:
        super().__init__()
        self.n_out = gates * width
        self.matrices = nn.ParameterList(recurrent_blocks(1, width, gates) for _ in range(n_types))

    def forward(self, h: Tensor, step: DagStep) -> Tensor:
        """h: ``(e, H)``, the states at the sources of a step's edges, by type. RETURNS:
        ``(e, gates * H)``."""
        by_type = zip(torch.split(h, list(step.n_of_type)), self.matrices, strict=True)
        products = [part @ matrix for part, matrix in by_type if len(part)]
        return torch.cat([h.new_zeros(0, self.n_out), *(p.to(h.dtype) for p in products)])


class EdgeEmbeddings(nn.Module):
    """``U (h x e_m)``: a short vector for each type m of edges, whose outer product with the state
    one tensor multiplies, for each gate (Peng et al. 2017, the "edge-type embedding"). In other
    words, a type's matrix is a weighted sum of ``type_width`` matrices."""

    def __init__(self, n_types: int, width: int, gates: int, type_width: int) -> None:
        super().__init__()
        self.types = nn.Parameter(torch.randn(n_types, type_width) / type_width**0.5)
        self.tensor = recurrent_blocks(type_width, width, gates)  # (type_width * H, gates * H)

    def forward(self, h: Tensor, step: DagStep) -> Tensor:
        """As :class:`EdgeMatrices`."""
        e = self.types.index_select(0, step.types)  # (e, type_width)
        products = (e.unsqueeze(2) * h.unsqueeze(1)).flatten(1)  # (e, type_width * H)
        return (products @ self.tensor).to(h.dtype)
