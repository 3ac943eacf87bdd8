"""What is asked of every part that is a torch module, whatever it computes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rnnpipe.testing.promises import require, require_equal, require_gradients

#: Names of parameters under which thinc's optimizer keeps what it knows of its own.
THINC = ("W", "b", "E")


def rebuilt(case: Any, **options: Any) -> Any:
    """The part of a case, built from a pickle of its builder, with other weights."""
    return replace(case, builder=pickle.loads(pickle.dumps(case.builder))).build(seed=2, **options)


def require_copies(part: Any, answer: Callable[[Any], Tensor], again: Any = None) -> None:
    """The part answers the same when it is asked twice, and so do its copies.

    again: the part :func:`rebuilt`, to be given its weights.
    """
    want = answer(part)
    others = {
        "a second call": part,
        "a deep copy": copy.deepcopy(part),
        "a pickle": pickle.loads(pickle.dumps(part)),
    }
    if again is not None:
        again.load_state_dict(part.state_dict())
        others["a pickle of the builder, with the weights loaded"] = again
    for what, other in others.items():
        require_equal(answer(other), want, f"the answer of {what}")


def require_same_weights(first: Any, second: Any) -> None:
    weights, others = first.state_dict(), second.state_dict()
    require(weights.keys() == others.keys(), "weights: expected the same names, got others.")
    for name, weight in weights.items():
        require_equal(others[name], weight, name)


def require_same_in_training(
    first: Any, second: Any, answer: Callable[[Any], Tensor], what: str
) -> None:
    """Two parts that were built under the same seed have the same weights, and under the same seed
    they answer the same in training."""
    require_same_weights(first, second)
    answers = []
    for part in (first.train(), second.train()):
        torch.manual_seed(7)
        answers.append(answer(part))
    require_equal(answers[1], answers[0], f"{what} in training")


def require_names(part: Any) -> None:
    """Its parameters do not share thinc's names."""
    for name, _ in part.named_parameters():
        last = name.rpartition(".")[2]
        require(last not in THINC, f"{name}: expected another name than {last!r}.")


def require_no_gradient(gradient: Tensor | None, what: str) -> None:
    if gradient is not None:
        n = int((gradient != 0).sum())
        require(n == 0, f"{what}: expected no gradient, got {n} values of one.")


def require_trained(part: Any) -> None:
    """After a backward pass, every parameter that is trained has a gradient."""
    for name, parameter in _trained(part):
        require(parameter.grad is not None, f"{name}: expected a gradient, got none.")


def require_reached(part: Any) -> None:
    """That gradient is finite too, and somewhere not zero."""
    for name, parameter in _trained(part):
        require_gradients(parameter.grad, name)


def require_true_gradients(part: Any, answer: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Those of inputs and of parameters in double precision are those of finite differences."""

    def values(*given: Tensor) -> Tensor:
        return answer(*given[: len(inputs)])

    weights = [p for _, p in _trained(part)]
    torch.autograd.gradcheck(values, (*inputs, *weights), fast_mode=True)


def _trained(part: Any) -> list[tuple[str, Tensor]]:
    """The parameters that are trained, and their names."""
    return [(name, p) for name, p in part.named_parameters() if p.requires_grad]
