"""LSTMs over images against the plain way, and what it costs to draw an image.

    python benchmarks/images.py [--rounds 5] [--size 28] [--width 16] [--batch 16] [--drawn 64]

skewed: the Diagonal BiLSTM as it is described, in torch: every row of the map is shifted by one
    pixel more than the row above it, and an LSTM goes over the columns of that wider map; once for
    each half.
nn.LSTM: over as many steps, with as many multiply-adds a step, as the Row LSTM.
ours: the encoder's layer with the same weights (skewed) or of the width asked for (nn.LSTM).

They go forward and backward in turn, on one thread, in processor time. Then images are drawn by
a model of each encoder, and their matrix products and convolutions counted and compared with those
of one forward pass over as many images.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from interleaved import race, seconds
from options import parser_for
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from rnnpipe.models.images.image_model import ImageModel, ImageModelBuilder
from rnnpipe.parts.encoders.image.diagonal_bilstm import DiagonalBiLSTM, DiagonalBiLSTMLayer
from rnnpipe.parts.encoders.image.pixel_cnn import PixelCNN
from rnnpipe.parts.encoders.image.row_lstm import RowLSTM, RowLSTMLayer
from rnnpipe.parts.pixel_outputs.bernoulli import Bernoulli


class Ours:
    """A layer over images ``(B, height, width, n_in)``."""

    def __init__(self, layer: nn.Module, images: Tensor) -> None:
        self.layer = layer
        self.images = images.detach().clone().requires_grad_()

    def states(self) -> Tensor:
        states: Tensor = self.layer.states(self.images)
        return states

    def train(self) -> None:
        self.layer.zero_grad()
        self.states().square().sum().backward()


class Skewed(Ours):
    def states(self) -> Tensor:
        left, right = self.half(self.images, 0), self.half(self.images.flip(2), 1).flip(2)
        return left + F.pad(right, (0, 0, 0, 0, 1, -1))

    def half(self, images: Tensor, direction: int) -> Tensor:
        lstm = self.layer.lstm
        batch_size, height, width, _ = images.shape
        gates = images @ lstm.input_weight[direction] + lstm.bias[direction]
        shifted = [F.pad(gates[:, r], (0, 0, r, height - 1 - r)) for r in range(height)]
        skewed = torch.stack(shifted, dim=2)  # (B, columns, height, 4H)
        # The states to the left and above, side by side.
        weight = torch.cat(lstm.weight[direction].unbind(0))
        h = c = images.new_zeros(batch_size, height, lstm.width)
        rows = torch.arange(height).unsqueeze(-1)
        columns = []
        for column, x in enumerate(skewed.unbind(1)):
            above = F.pad(h, (0, 0, 1, -1))
            i, f, g, o = (x + torch.cat([h, above], dim=-1) @ weight).chunk(4, dim=-1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            begun = rows <= column  # before its first pixel, a row is outside of the image
            h, c = h * begun, c * begun
            columns.append(h)
        states = torch.stack(columns, dim=2)  # (B, height, columns, H)
        return torch.stack([states[:, r, r : r + width] for r in range(height)], dim=1)


class Torch(Ours):
    """An LSTM from the top down every column, with the Row LSTM's multiply-adds a pixel."""

    def __init__(self, row: RowLSTMLayer, images: Tensor) -> None:
        wanted = row.lstm.input_weight[0].numel() + row.lstm.weight[0].numel()
        hidden = 2 * row.lstm.width
        n_in = round(wanted / (4 * hidden)) - hidden
        batch_size, height, width, _ = images.shape
        print(f"nn.LSTM: {n_in} to {hidden}, {4 * hidden * (n_in + hidden)} multiply-adds a pixel")
        print(f"Row LSTM: {wanted} multiply-adds a pixel")
        lstm = nn.LSTM(n_in, hidden)
        super().__init__(lstm, torch.randn(height, batch_size * width, n_in))

    def states(self) -> Tensor:
        states: Tensor = self.layer(self.images)[0]
        return states


def multiply_adds(task: Callable[[], object]) -> int:
    """Of matrix products and convolutions, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        task()
    return counter.get_total_flops() // 2


def draw(name: str, model: ImageModel, size: int, n: int) -> None:
    pixels = torch.randint(0, 2, (n, size, size, 1))

    @torch.no_grad()
    def forward() -> None:
        model.log_probabilities(pixels)

    def generate() -> None:
        model.generate(n, size, size, seed=0)

    forward()
    times = seconds(generate) / min(seconds(forward) for _ in range(3))
    spent = seconds(generate)
    # In float64 the forward pass runs by operations of torch, which are counted.
    products = multiply_adds(generate) / multiply_adds(lambda: model.double().loss(pixels))
    print(
        f"{name:15} {products:5.2f} forward passes' multiply-adds, {times:6.1f} their time, "
        f"{1000 * spent / n:.0f} ms an image"
    )


def main() -> None:
    parser = parser_for(__doc__, rounds=5, size=28, width=16, batch=16, drawn=64)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    n_in = 2 * arguments.width
    images = torch.randn(arguments.batch, arguments.size, arguments.size, n_in)
    diagonal = DiagonalBiLSTMLayer(n_in, 1, width=arguments.width)
    contestants = {"skewed": Skewed(diagonal, images), "ours": Ours(diagonal, images)}
    torch.testing.assert_close(*(c.states() for c in contestants.values()), atol=1e-4, rtol=1e-3)
    print("Diagonal BiLSTM")
    race(contestants, ["train"], arguments.rounds, arguments.batch, "images")
    row = RowLSTMLayer(n_in, 1, width=arguments.width, reach=1)
    contestants = {"nn.LSTM": Torch(row, images), "ours": Ours(row, images)}
    race(contestants, ["train"], arguments.rounds, arguments.batch, "images")
    encoders = {
        "Row LSTM": RowLSTM(width=arguments.width),
        "Diagonal BiLSTM": DiagonalBiLSTM(width=arguments.width),
        "PixelCNN": PixelCNN(width=n_in, depth=6),
    }
    for name, encoder in encoders.items():
        builder = ImageModelBuilder(encoder, Bernoulli(), width=n_in)
        model = builder.build({"channels": 1, "levels": 2, "labels": []})
        draw(name, model, arguments.size, arguments.drawn)


if __name__ == "__main__":
    main()
