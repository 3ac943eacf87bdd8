"""What matrix products a computation takes, forward and backward."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "baddbmm_", "mkldnn_rnn_layer"}


class Products(TorchDispatchMode):
    """Within the block, notes the types of the two factors of each product."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[set[torch.dtype]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in _PRODUCTS:
            factors = [x for x in args if isinstance(x, torch.Tensor) and x.dim() > 1][-2:]
            self.found.append({x.dtype for x in factors})
        return func(*args, **(kwargs or {}))
