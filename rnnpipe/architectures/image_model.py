"""``rnnpipe.ImageModel.v1``: the model of the component ``rnn_image``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from thinc.api import Model
from torch import Tensor

from rnnpipe.image_model import ImageModel as TorchImageModel
from rnnpipe.image_model import ImageModelBuilder
from rnnpipe.language_model import full_precision
from rnnpipe.settings import checked
from rnnpipe.shim import TorchShim
from rnnpipe.types import (
    DropoutRate,
    GridEncoderBuilder,
    Levels,
    PixelOutputBuilder,
    PositiveInt,
    Precision,
)


@checked("architectures", "rnnpipe.ImageModel.v1")
def ImageModel(
    encoder: GridEncoderBuilder,
    output: PixelOutputBuilder,
    levels: Levels = 256,
    width: PositiveInt = 32,
    reach: PositiveInt = 3,
    readout: PositiveInt = 32,
    dropout: DropoutRate = None,
    precision: Precision = "float32",
    max_pixels: PositiveInt = 65536,
) -> Model[Any, Any]:
    """A first masked convolution, a causal encoder of images and an output, trained as one torch
    module: the probability of every pixel given those above it and to its left (van den Oord et al.
    2016, Pixel Recurrent Neural Networks).

    encoder: ``rnnpipe.PixelCNN.v1``, ``rnnpipe.RowLSTM.v1`` or ``rnnpipe.DiagonalBiLSTM.v1``.
    output: what a pixel may be, such as ``rnnpipe.Bernoulli.v1`` for those of two levels.
    levels: how many values each channel of a pixel may have, from 0 on.
    width: of the first convolution's features. reach: to how many pixels on each side it reaches; 3
        stands for a kernel of 7 x 7.
    readout: features of a pixel between the encoder and the output.
    dropout: on the encoder's states; unset, the rate of ``[training] dropout``.
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_pixels: the most pixels computed at once; bounds the memory.
    RAISES: SettingsError if the output is not one of so many levels.
    """
    builder = ImageModelBuilder(
        encoder=encoder,
        output=output,
        width=width,
        reach=reach,
        readout=readout,
        dropout=dropout,
    )
    with torch.device("meta"):
        output(readout, 1, levels)  # raises now, not after the corpus has been read
    return Model(
        "rnnpipe_image_model",
        _forward,
        shims=[TorchShim(None, build=builder.build, facts=None, precision=precision)],
        attrs={
            "dropout_rate": 0.0,
            "builder": builder,
            "levels": levels,
            "max_pixels": max_pixels,
        },
    )


@dataclass(frozen=True)
class Picture:
    """pixels: ``(H, W, C)`` uint8. label: the number of its class, where there are classes."""

    pixels: np.ndarray
    label: int | None = None


def image_shim(model: Model[Any, Any]) -> TorchShim:
    return cast(TorchShim, model.shims[0])


def set_image_facts(model: Model[Any, Any], shape: Sequence[int], labels: Sequence[str]) -> None:
    """Make the network for images of that height, width and number of channels.

    RAISES: StructureError if the network's parts do not fit images of so many channels.
    """
    height, width, channels = shape
    facts = {
        "height": height,
        "width": width,
        "channels": channels,
        "levels": model.attrs["levels"],
        "labels": list(labels),
    }
    module = cast(ImageModelBuilder, model.attrs["builder"]).build(facts)
    image_shim(model).set_module(module, facts)


def set_image_labels(model: Model[Any, Any], labels: Sequence[str]) -> None:
    """Give a network more classes at the end, keeping all it knows of those that it has."""
    shim = image_shim(model)
    facts = {**cast(dict[str, Any], shim.facts), "labels": list(labels)}
    grown = cast(ImageModelBuilder, model.attrs["builder"]).build(facts).to(shim.device)
    weights = grown.state_dict()
    for name, known in shim.module.state_dict().items():
        weights[name][: len(known)] = known
    shim.set_module(grown, facts)


class Run:
    """A training pass over images, which runs when its gradient is asked for."""

    def __init__(self, model: Model[Any, Any], pictures: Sequence[Picture]) -> None:
        self._model = model
        self._pictures = pictures

    def backward(self) -> float:
        """Add the gradient of the mean loss of a channel of a pixel to the parameters' gradients.
        Returns the summed negative log-likelihood, in nats."""
        scale = 1.0 / max(1, sum(picture.pixels.size for picture in self._pictures))
        shim = image_shim(self._model)
        total = torch.zeros((), device=shim.device)
        with shim.training(self._model.attrs["dropout_rate"]) as module:
            for pixels, classes in _batches(self._model, self._pictures):
                loss = cast(TorchImageModel, module).loss(pixels, classes).float()
                with full_precision(shim.device):
                    torch.autograd.backward(loss * scale)
                total = total + loss.detach()
        return float(total)


def log_likelihoods(model: Model[Any, Any], pictures: Sequence[Picture]) -> np.ndarray:
    """The log-probability of each image, ``(N,)`` float32, in nats."""
    parts = [np.zeros(0, dtype=np.float32)]
    with image_shim(model).evaluation() as module:
        for pixels, classes in _batches(model, pictures):
            scores = cast(TorchImageModel, module).log_probabilities(pixels, classes)
            parts.append(scores.float().cpu().numpy())
    return np.concatenate(parts)


def generate(
    model: Model[Any, Any],
    n: int,
    height: int,
    width: int,
    temperature: float,
    seed: int | None,
    classes: Sequence[int] | None,
    given: np.ndarray | None = None,
    known: np.ndarray | None = None,
) -> np.ndarray:
    """``(n, H, W, C)`` uint8: see :meth:`rnnpipe.image_model.ImageModel.generate`. classes: the
    number of each image's class. given: ``(H, W, C)`` uint8, and known: ``(H, W)``, where it is
    taken over."""
    shim = image_shim(model)

    def on_device(array: Any) -> Tensor | None:
        return None if array is None else torch.as_tensor(array).to(shim.device)

    with shim.evaluation() as module:
        images = cast(TorchImageModel, module).generate(
            n,
            height,
            width,
            temperature=temperature,
            seed=seed,
            classes=on_device(classes),
            given=on_device(None if given is None else np.stack([given] * n).astype(np.int64)),
            known=on_device(None if known is None else np.stack([known] * n)),
        )
    return images.cpu().numpy().astype(np.uint8)


def _forward(
    model: Model[Any, Any], pictures: Sequence[Picture], is_train: bool
) -> tuple[Any, Callable[[Any], list[Any]]]:
    result = Run(model, pictures) if is_train else log_likelihoods(model, pictures)
    return result, lambda _: []


def _batches(
    model: Model[Any, Any], pictures: Sequence[Picture]
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Images of one size, ``(B, H, W, C)`` int64, and their classes, ``(B,)``, if there are any."""
    if not pictures:
        return
    height, width, _ = pictures[0].pixels.shape
    size, device = max(1, model.attrs["max_pixels"] // (height * width)), image_shim(model).device
    for begin in range(0, len(pictures), size):
        part = pictures[begin : begin + size]
        pixels = torch.from_numpy(np.stack([picture.pixels for picture in part]))
        labels = [picture.label for picture in part if picture.label is not None]
        yield pixels.to(device).long(), torch.tensor(labels).to(device) if labels else None
