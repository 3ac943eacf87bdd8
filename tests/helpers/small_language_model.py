"""A small language model over five characters, and texts for it."""

import numpy as np
import torch

from rnnpipe.contracts.types import Text
from rnnpipe.models.language.language_model import LanguageModelBuilder
from rnnpipe.parts.encoders.sequence.recurrent import LSTM
from rnnpipe.parts.outputs.full import FullSoftmax
from rnnpipe.parts.symbols.characters import Characters

FACTS = {"characters": list("abcde")}


def model(encoder=None, seed=0, **settings):
    torch.manual_seed(seed)
    settings = {"symbols": Characters(), "output": FullSoftmax(), "width": 6, **settings}
    return LanguageModelBuilder(encoder=encoder or LSTM(width=7, depth=2), **settings).build(FACTS)


def text(length, seed=0, place=None):
    symbols = np.random.default_rng(seed).integers(0, 7, length + 1)
    return Text(symbols[:-1], symbols[1:], place)
