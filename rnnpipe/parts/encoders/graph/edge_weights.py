"""What an edge does to the state that it carries, by its type."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.parts.encoders.tree.tree_cells import recurrent_blocks
from rnnpipe.structures import DagStep


class EdgeMatrices(nn.Module):
    """``U_m h``: a matrix for each type m of edges, for each gate (Peng et al. 2017, the "full
    parametrization")."""

    def __init__(self, n_types: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.matrices = nn.ParameterList(recurrent_blocks(1, width, 4) for _ in range(n_types))

    def forward(self, h: Tensor, step: DagStep) -> tuple[Tensor, Tensor]:
        """h: ``(e, H)``, the states at the sources of a step's edges, by type. RETURNS: for the
        gates i, u and o, the sums at the step's nodes, ``(m, 3 H)``; for the forget gates, one row
        an edge, ``(e, H)``."""
        by_type = zip(torch.split(h, list(step.n_of_type)), self.matrices, strict=True)
        products = [(part @ matrix).to(h.dtype) for part, matrix in by_type if len(part)]
        carried = torch.cat([h.new_zeros(0, 4 * self.width), *products])  # (e, 4 H)
        iuo, f = torch.split(carried, [3 * self.width, self.width], dim=1)
        return step.sum_at_nodes(iuo), f


class EdgeEmbeddings(nn.Module):
    """``U (h x e_m)``: a short vector for each type m of edges, whose outer product with the state
    one tensor multiplies, for each gate (Peng et al. 2017, the "edge-type embedding"). In other
    words, a type's matrix is a weighted sum of ``type_width`` matrices."""

    def __init__(self, n_types: int, width: int, type_width: int) -> None:
        super().__init__()
        self.types = nn.Parameter(torch.randn(n_types, type_width) / type_width**0.5)
        self.iuo = recurrent_blocks(type_width, width, 3)  # (type_width * H, 3 H)
        self.forget = recurrent_blocks(type_width, width, 1)

    def forward(self, h: Tensor, step: DagStep) -> tuple[Tensor, Tensor]:
        """As :class:`EdgeMatrices`."""
        e = self.types.index_select(0, step.types)  # (e, type_width)
        products = (e.unsqueeze(2) * h.unsqueeze(1)).flatten(1)  # (e, type_width * H)
        # One tensor for all types: products are added up before it multiplies them.
        iuo = step.sum_at_nodes(products) @ self.iuo
        return iuo.to(h.dtype), (products @ self.forget).to(h.dtype)
