"""The encoder of a trained pipeline, apart from it, and what it is given for a text."""

from __future__ import annotations

import copy
from typing import cast

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc
from torch import Tensor, nn

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.network import network_builder, token_vectors
from rnnpipe.components.language.rnn_lm import RnnLanguageModel
from rnnpipe.components.network_model import network_shim
from rnnpipe.contracts.types import BOUNDARY
from rnnpipe.errors import SettingsError, expected
from rnnpipe.instruments.reading import Reader
from rnnpipe.models.labelling.network import Network
from rnnpipe.models.language.language_model import LanguageModel
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack
from rnnpipe.structures import Sequences

#: The components whose encoders can be looked into.
WithEncoder = RnnLanguageModel | LabellingPipe


def encoder_on_text(nlp: Language, pipe: WithEncoder, text: str) -> tuple[nn.Module, Tensor]:
    """A copy of a component's encoder, and the vectors that it is given for a text, ``(N, D)``:
    both on the CPU, in double precision, without dropout, and without gradients of their own.

    RAISES: SettingsError if it reads something else than symbols or tokens one after the other.
    """
    if isinstance(pipe, RnnLanguageModel):
        reader = Reader(nlp, pipe)
        symbols = np.concatenate([[BOUNDARY], *reader.symbols([text])])
        with network_shim(pipe.model).evaluation() as module:
            model = cast(LanguageModel, module)
            encoder, vectors = model.encoder, model.embedding.weight[torch.from_numpy(symbols)]
    else:
        structure = network_builder(pipe.model).structure
        if structure is not None:
            where, do = f"components.{pipe.name}.model.structure", "Choose another component."
            got = type(structure).__name__
            raise SettingsError(expected(where, "no structure: tokens in a row", got, do))
        encoder = cast(Network, network_shim(pipe.model).module).encoder
        vectors = token_vectors(pipe.model, [annotated_before(nlp, pipe, text)])
    apart = copy.deepcopy(encoder).to("cpu", torch.float64).requires_grad_(False)
    return apart.eval(), vectors.detach().to("cpu", torch.float64)


def annotated_before(nlp: Language, pipe: LabellingPipe, text: str) -> Doc:
    """A document with the annotation that the component finds when its turn comes."""
    doc = nlp.make_doc(text)
    for _, component in nlp.pipeline:
        if component is pipe:
            break
        doc = component(doc)
    return doc


def layer_inputs(stack: RecurrentStack, inputs: Tensor) -> list[Tensor]:
    """What each layer is given for a text, the lowest first: ``(N, D)`` to ``(N, n_in)`` each."""
    structure = Sequences.of([len(inputs)])
    outputs, _ = stack.run(inputs.unsqueeze(0), structure, stack.initial(1), lowest=0)
    below = [states[0] for states in outputs[:-1]]
    return [inputs, *(torch.cat([x, inputs], dim=1) if stack.skip else x for x in below)]
