"""The one place that knows thinc's ``PyTorchShim``: a torch module inside a thinc ``Model``.

docs/shim.md lists the gaps of thinc's own shim, and how this one closes them.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any
from uuid import uuid4

import torch
from thinc.api import ArgsKwargs, Optimizer, PyTorchShim
from thinc.util import convert_recursive, get_torch_default_device, torch2xp
from torch import Tensor, nn

from rnnpipe.contracts.compat import private
from rnnpipe.contracts.types import Precision
from rnnpipe.errors import SettingsError, StructureError, WeightsError, expected
from rnnpipe.layers.dropout import set_dropout_rate
from rnnpipe.shim.lock import SharedLock
from rnnpipe.shim.optimizer_step import Key, StepReport, parameter_key, step
from rnnpipe.shim.weights import Facts, dump, load_into, parse

_foreach_copy_ = private("torch._foreach_copy_")

# OpenMP's threads do not live through a fork: a child process that tried to use them, as with
# ``nlp.pipe(n_process=2)``, would wait for them for ever.
if hasattr(os, "register_at_fork"):  # there is no fork on Windows
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


class TorchShim(PyTorchShim):
    """A torch module that trains, predicts, saves and loads inside a thinc ``Model``.

    module: the network; ``None`` until its sizes are known (see :meth:`set_module`).
    build: rebuilds the network from ``facts`` when weights are loaded; picklable. ``None``: the
        weights are loaded into the existing module.
    facts: the JSON input of ``build``: sizes, labels, vocabularies. It is stored with the weights.
    precision: ``"bfloat16"``: matrix products in bfloat16 (torch's autocast), in training and
        prediction; weights and sums stay in float32.

    The module is in evaluation mode between passes. Any number of threads may predict at once;
    training and changes of the weights are exclusive.
    """

    def __init__(
        self,
        module: nn.Module | None,
        build: Callable[[Facts], nn.Module] | None = None,
        facts: Facts | None = None,
        precision: Precision = "float32",
    ) -> None:
        super().__init__(module)
        if module is None and build is None:
            raise StructureError(
                expected(
                    "TorchShim",
                    "a module, or a function build that creates one from facts",
                    "no module",
                )
            )
        if precision not in ("float32", "bfloat16"):
            raise SettingsError(expected("precision", "'float32' or 'bfloat16'", precision))
        self.build = build
        self.facts = _as_json(facts)
        self.precision = precision
        #: Of the last step of the optimizer; nothing depends on it.
        self.last_step: StepReport | None = None
        #: How many training passes have added their gradients; error messages name it.
        self.updates = 0
        self._owner = uuid4().hex
        self._weights_version = 0
        self._lock = SharedLock()
        if module is not None:
            module.eval()

    @property
    def module(self) -> nn.Module:
        """The network; raises :class:`StructureError` if there is none yet."""
        if self._model is None:
            raise StructureError(
                expected(
                    "network",
                    "weights",
                    "no weights yet",
                    "Call nlp.initialize() or load a trained pipeline first.",
                )
            )
        module: nn.Module = self._model
        return module

    @property
    def weights_version(self) -> int:
        """A number that changes whenever the weights do. Results under another number are stale."""
        return self._weights_version

    def set_module(self, module: nn.Module | None, facts: Facts | None) -> None:
        """Replace the network, once its sizes are known or when labels are added.

        Parameters that keep their name and shape keep their optimizer state.
        """
        with self._lock.exclusive():
            self._model = None if module is None else module.to(get_torch_default_device()).eval()
            self.facts = _as_json(facts)
            self._weights_version += 1

    # Running

    @contextmanager
    def training(self, dropout: float = 0.0) -> Iterator[nn.Module]:
        """Yield the module in training mode, for one forward pass by this thread alone.

        dropout: the training loop's rate, for every :class:`rnnpipe.layers.dropout.Dropout` without
            a rate of its own. ``torch.nn.Dropout`` always keeps its own.

        Call ``backward`` after leaving the block, so that it does not run under autocast.
        """
        with self._lock.exclusive():
            module = self.module
            set_dropout_rate(module, dropout)
            with _mode(module, training=True), self._autocast():
                yield module

    @contextmanager
    def evaluation(self) -> Iterator[nn.Module]:
        """Yield the module in evaluation mode, without gradients. Its outputs may be used
        anywhere."""
        with self._lock.shared():
            module = self.module
            # The mode differs only within this thread's own training().
            with _mode(module, training=False), torch.no_grad(), self._autocast():
                yield module

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def __call__(
        self, inputs: ArgsKwargs, is_train: bool, dropout: float = 0.0
    ) -> tuple[Any, Callable[[ArgsKwargs], Any]]:
        """Return the output and its backpropagation function, as thinc requires."""
        if is_train:
            return self.begin_update(inputs, dropout)
        return self.predict(inputs), _no_backprop

    def predict(self, inputs: ArgsKwargs) -> Any:
        """Return the module's output for tensors, float32 in either precision."""
        with self.evaluation() as module:
            outputs = module(*inputs.args, **inputs.kwargs)
        return convert_recursive(_is_bfloat16, Tensor.float, outputs)

    def begin_update(
        self, inputs: ArgsKwargs, dropout: float = 0.0
    ) -> tuple[Any, Callable[[ArgsKwargs], Any]]:
        """Return the output, float32 in either precision, and a function from the arguments of
        ``torch.autograd.backward`` to the gradients of ``inputs``."""
        with self.training(dropout) as module:
            outputs = module(*inputs.args, **inputs.kwargs)

        def backprop(grads: ArgsKwargs) -> Any:
            torch.autograd.backward(*grads.args, **grads.kwargs)
            return convert_recursive(_is_tensor, _gradient, inputs)

        return convert_recursive(_is_bfloat16, Tensor.float, outputs), backprop

    # Learning

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update the whole module by one optimizer step (see
        :mod:`rnnpipe.shim.optimizer_step`)."""
        if not callable(optimizer):
            raise SettingsError(
                expected("finish_update", "a thinc.api.Optimizer", type(optimizer).__name__)
            )
        with self._lock.exclusive():
            if isinstance(optimizer, Optimizer):
                self.last_step = step(optimizer, self._parameters())
            else:
                self._hand_over(optimizer)
            self._weights_version += 1

    def _hand_over(self, collect: Callable[[Any, Any, Any], Any]) -> None:
        """Pass weights and gradients to a function that later updates tensor by tensor and in
        place, as ``nlp.rehearse`` does. The keys differ from the others, since thinc keeps arrays
        there."""
        for (marker, owner, name), weight in self._parameters().items():
            if weight.grad is not None:
                key = (f"{marker} rehearsal", owner, name)
                collect(key, torch2xp(weight.detach()), torch2xp(weight.grad))
                weight.grad = None

    @contextmanager
    def use_params(self, params: Mapping[Any, Any]) -> Iterator[None]:
        """Replace the weights by the averages in ``params`` (an optimizer's) inside the block.

        They are copied in, so that the weights keep their place in memory. Blocks may be nested.
        """
        swaps = [
            (weight, params[key])
            for key, weight in self._parameters().items()
            if key in params and params[key].shape == weight.shape
        ]
        if not swaps:
            yield
            return
        weights = [weight for weight, _ in swaps]
        backup = [weight.detach().clone() for weight in weights]
        self._overwrite(weights, [average for _, average in swaps])
        try:
            yield
        finally:
            self._overwrite(weights, backup)

    def _overwrite(self, weights: list[Tensor], values: list[Tensor]) -> None:
        with self._lock.exclusive(), torch.no_grad():
            _foreach_copy_(weights, values)
            self._weights_version += 1

    def _parameters(self) -> dict[Key, Tensor]:
        if self._model is None:
            return {}
        return {parameter_key(self._owner, n): p for n, p in self._model.named_parameters()}

    # Moving, copying, storing

    def to_device(self, device_type: str, device_id: int) -> None:
        with self._lock.exclusive():
            if self._model is not None:
                self._model.to("cpu" if device_type == "cpu" else f"cuda:{device_id}")
            self._weights_version += 1

    @property
    def device(self) -> torch.device:
        """The device of the module's weights; thinc's default device if it has none."""
        weight = None if self._model is None else next(self._model.parameters(), None)
        return get_torch_default_device() if weight is None else weight.device

    def copy(self) -> TorchShim:
        """Return an independent copy, which shares neither weights nor optimizer state."""
        copied = copy.deepcopy(self)
        copied._owner = uuid4().hex
        return copied

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = SharedLock()

    def to_bytes(self) -> bytes:
        """Return the weights and facts in safetensors format."""
        with self._lock.shared():
            return dump(self._model, self.facts)

    def from_bytes(self, bytes_data: bytes) -> TorchShim:
        """Load the output of :meth:`to_bytes`. On :class:`WeightsError`, nothing has changed."""
        stored = parse(bytes_data)
        if not stored.built and self.build is not None:
            self.set_module(None, stored.facts)
            return self
        module = self._model if self.build is None else _rebuild(self.build, stored.facts)
        with self._lock.exclusive():
            load_into(module, stored.tensors)
            self.set_module(module, stored.facts)
        return self


@contextmanager
def _mode(module: nn.Module, training: bool) -> Iterator[None]:
    before = module.training
    if before == training:
        yield
        return
    module.train(training)
    try:
        yield
    finally:
        module.train(before)


def _rebuild(build: Callable[[Facts], nn.Module], facts: Facts | None) -> nn.Module:
    try:
        return build({} if facts is None else facts)
    # Whatever a builder makes of facts that it did not write, the file is to blame.
    except Exception as error:
        raise WeightsError(
            "weights: expected facts from which this network can be built, got different facts "
            f"({type(error).__name__}: {error}). Load them into a network with the settings used "
            "in training."
        ) from error


def _as_json(facts: Facts | None) -> Facts | None:
    # What cannot be stored fails here, not after hours of training; and a network that was loaded
    # sees the same facts as the one that was saved: lists for tuples, strings for keys.
    stored: Facts | None = json.loads(json.dumps(facts, allow_nan=False))
    return stored


def _no_backprop(_: ArgsKwargs) -> None:
    return None


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _is_bfloat16(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.bfloat16


def _gradient(tensor: Tensor) -> Tensor | None:
    return tensor.grad
