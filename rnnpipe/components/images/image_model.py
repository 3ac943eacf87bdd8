"""``rnnpipe.ImageModel.v1``: the model of the component ``rnn_image``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from thinc.api import Model
from torch import Tensor

from rnnpipe.components.network_model import network_model, network_shim
from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import (
    DropoutRate,
    GridEncoderBuilder,
    Levels,
    PixelOutputBuilder,
    PositiveInt,
    Precision,
)
from rnnpipe.models.images.image_model import ImageModel as TorchImageModel
from rnnpipe.models.images.image_model import ImageModelBuilder, Picture


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
    """A model of images: the probability of every pixel given the pixels above it and to its left
    (van den Oord et al. 2016, Pixel Recurrent Neural Networks). A masked convolution, a causal
    encoder of images and an output are trained as one torch module.

    encoder: ``rnnpipe.PixelCNN.v1``, ``rnnpipe.RowLSTM.v1`` or ``rnnpipe.DiagonalBiLSTM.v1``.
    output: distribution of a pixel, such as ``rnnpipe.Bernoulli.v1`` for two levels.
    levels: number of values of each pixel channel: 0 to ``levels - 1``.
    width: number of features of the first convolution. reach: pixels that it covers on each side; 3
        means a kernel of 7 x 7.
    readout: number of features per pixel between the encoder and the output.
    dropout: dropout rate of the encoder's states; if unset, the rate of ``[training] dropout``.
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_pixels: maximum number of pixels computed at once; bounds the memory.

    Raises:
        SettingsError: the output does not support this number of levels.
    """
    builder = ImageModelBuilder(
        encoder=encoder,
        output=output,
        width=width,
        reach=reach,
        readout=readout,
        dropout=dropout,
        max_pixels=max_pixels,
    )
    with torch.device("meta"):
        output(readout, 1, levels)  # raises now, not after the corpus has been read
    model = network_model("rnnpipe_image_model", builder, log_likelihoods, precision)
    model.attrs["levels"] = levels
    return model


def set_image_facts(model: Model[Any, Any], shape: Sequence[int], labels: Sequence[str]) -> None:
    """Build the network for images of this height, width and number of channels.

    Raises:
        StructureError: the network's parts do not support this number of channels.
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
    network_shim(model).set_module(module, facts)


def set_image_labels(model: Model[Any, Any], labels: Sequence[str]) -> None:
    """Add classes at the end of a network's classes and keep all weights of the existing ones."""
    shim = network_shim(model)
    facts = {**cast(dict[str, Any], shim.facts), "labels": list(labels)}
    grown = cast(ImageModelBuilder, model.attrs["builder"]).build(facts).to(shim.device)
    weights = grown.state_dict()
    for name, known in shim.module.state_dict().items():
        weights[name][: len(known)] = known
    shim.set_module(grown, facts)


def log_likelihoods(model: Model[Any, Any], pictures: Sequence[Picture]) -> np.ndarray:
    """Return the log-probability of each image in nats, ``(N,)`` float32."""
    with network_shim(model).evaluation() as module:
        return cast(TorchImageModel, module).log_likelihoods(pictures)


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
    """Generate images, ``(n, H, W, C)`` uint8; see
    :meth:`rnnpipe.models.images.image_model.ImageModel.generate`.
    classes: index of each image's class. given: ``(H, W, C)`` uint8, pixels that are kept where
        known, ``(H, W)``, is true.
    """
    shim = network_shim(model)

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
