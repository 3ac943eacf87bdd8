"""The torch module inside a thinc model: its training step, its weights, its threads."""

from rnnpipe.shim.torch_shim import TorchShim
from rnnpipe.shim.torch_wrapper import TorchWrapper

__all__ = ["TorchShim", "TorchWrapper"]
