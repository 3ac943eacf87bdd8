"""What every output of a language model promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import outputs
from rnnpipe.contracts.types import OutputBuilder
from rnnpipe.testing.modules import (
    rebuilt,
    require_copies,
    require_names,
    require_same_weights,
    require_trained,
)
from rnnpipe.testing.promises import (
    Kind,
    require,
    require_close,
    require_shape,
    require_type,
    smallest,
    trying,
)


@dataclass(frozen=True)
class OutputCase:
    """An output to check. width: of the states that it is given. size: how many symbols."""

    name: str
    builder: OutputBuilder
    width: int = 8
    size: int = 11

    def embedding(self) -> nn.Parameter:
        generator = torch.Generator().manual_seed(0)
        return nn.Parameter(torch.randn(self.size, self.width, generator=generator))

    def build(self, seed: int = 1) -> Any:
        """The output, in evaluation mode."""
        torch.manual_seed(seed)
        output: Any = self.builder(self.width, self.embedding())
        return output.eval()

    def drawn(self, n: int) -> tuple[Tensor, np.ndarray]:
        """States ``(n, width)`` and target symbols."""
        x = torch.randn(n, self.width, generator=torch.Generator().manual_seed(0))
        return x, np.arange(n) * 3 % self.size


OUTPUT = Kind("output", outputs, OutputBuilder, OutputCase)


@OUTPUT.promise("Probabilities add up to 1, and scores are among them.")
def probabilities(case: OutputCase) -> None:
    output = case.build()
    with trying("20 states"), torch.no_grad():
        x, targets = case.drawn(20)
        every = output.log_probabilities(x)
        require_shape(every, (20, case.size), "log-probabilities")
        require_close(every.exp().sum(-1), torch.ones(20), "sums of the probabilities")
        require_close(output.score(x, targets), every[torch.arange(20), targets], "scores")


@OUTPUT.promise("A score depends on nothing else in the batch.")
@torch.no_grad()
def batch(case: OutputCase) -> None:
    output = case.build()

    def check(targets: list[int]) -> None:
        (x, _), symbols = case.drawn(len(targets)), np.array(targets, dtype=np.int64)
        together = output.score(x, symbols)
        require_shape(together, (len(targets),), "scores")
        for i in range(len(targets)):
            alone = output.score(x[i : i + 1], symbols[i : i + 1])[0]
            require_close(alone, together[i], f"score {i}, alone and together")

    from hypothesis import strategies as st

    last = case.size - 1
    always: list[dict[str, Any]] = [{"targets": []}, {"targets": [0, last, last // 2, last // 2]}]
    smallest(check, 8, always, targets=st.lists(st.integers(0, last), max_size=case.size))


@OUTPUT.promise("Training makes targets more likely.")
def training(case: OutputCase) -> None:
    output = case.build()
    with trying("5 states, 40 steps"):
        x, targets = case.drawn(5)
        before = float(output.score(x, targets).sum().detach())
        optimizer = torch.optim.Adam(output.parameters(), 0.1)
        for _ in range(40):
            optimizer.zero_grad()
            (-output.train().score(x, targets).sum()).backward()
            optimizer.step()
        after = float(output.eval().score(x, targets).sum().detach())
        require(after > 0.5 * before, f"scores: expected them to rise, got {before} to {after}.")


@OUTPUT.promise("A training step never waits for a value from the device.")
def meta(case: OutputCase) -> None:
    with trying(f"{case.size} states on the device 'meta'"):
        with torch.device("meta"):
            weight = nn.Parameter(torch.empty(case.size, case.width))
            output: Any = case.builder(case.width, weight)
            x = torch.randn(case.size, case.width, requires_grad=True)
        output.train().score(x, np.arange(case.size)).sum().backward()
        require(x.grad is not None, "states: expected a gradient, got none.")
        require_trained(output)


@OUTPUT.promise("Scores are float32 under autocast to bfloat16, too.")
def precision(case: OutputCase) -> None:
    output = case.build()
    with trying("3 states in bfloat16"), torch.autocast("cpu", dtype=torch.bfloat16):
        x, targets = case.drawn(3)
        for scores in (output.score(x.bfloat16(), targets), output.log_probabilities(x.bfloat16())):
            require_type(scores, torch.float32, "scores")


@OUTPUT.promise("Copies, pickles and loaded weights score alike.")
def copies(case: OutputCase) -> None:
    x, targets = case.drawn(4)
    with trying("4 states"):
        require_copies(case.build(), lambda output: output.score(x, targets), rebuilt(case))


@OUTPUT.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: OutputCase) -> None:
    require_names(case.build())


@OUTPUT.promise("The same seed gives the same weights.")
def seeds(case: OutputCase) -> None:
    require_same_weights(case.build(7), case.build(7))
