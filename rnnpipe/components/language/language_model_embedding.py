"""``rnnpipe.LanguageModelEmbedding.v1``: a trained language model as an embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import spacy
from spacy.language import Language
from spacy.util import registry
from thinc.api import Model
from torch import nn

from rnnpipe.components.language.language_model import language_model_builder
from rnnpipe.components.network_model import network_shim
from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import Embedding, EmbeddingBuilder, PositiveInt, Probability
from rnnpipe.errors import SettingsError, WeightsError, expected
from rnnpipe.models.language.language_model import LanguageModel
from rnnpipe.parts.embeddings.language_model import LanguageModelEmbedding as TorchEmbedding
from rnnpipe.parts.embeddings.language_model import Weights

_NAME = "rnnpipe.LanguageModelEmbedding.v1"


@embeddings(_NAME)
def LanguageModelEmbedding(
    path: str | None,
    component: str = "lm",
    layers: Literal["top", "mixture"] = "top",
    finetune: bool = False,
    width: PositiveInt | None = None,
    dropout: Probability = 0.0,
    max_length: PositiveInt = 512,
    max_padded_symbols: PositiveInt = 8192,
) -> EmbeddingBuilder:
    """Word vectors in context: the states of a trained ``rnn_lm`` at the end of each token, see the
    equation in :mod:`rnnpipe.parts.embeddings.language_model`. For both directions, combine a
    forward and a backward model with ``rnnpipe.Concat.v1``.

    path: pipeline that contains the language model: a folder such as ``model-best``, or an
        installed package. It is read at initialisation only, since the component saves the parts
        that it needs.
    component: name of the language model in that pipeline.
    layers: ``"top"``, or a learned mixture of all (ELMo).
    finetune: whether to train the language model further; otherwise its weights are fixed.
    width: size to which a learned linear map projects the vectors; by default they have the width
        of the language model's states.
    dropout: dropout rate of the vectors.
    max_length: maximum number of symbols read at once. Longer documents are read in pieces that
        pass on their state.
    max_padded_symbols: maximum number of positions computed at once; bounds the memory.

    Raises:
        SettingsError: at initialisation, if there is no such pipeline or component.
        StructureError: at initialisation, if layers are to be mixed and the model's encoder has or
            exposes only one.
    """
    settings = {
        "layers": layers,
        "finetune": finetune,
        "project": width,
        "dropout": dropout,
        "max_length": max_length,
        "max_padded_symbols": max_padded_symbols,
    }
    return LanguageModelEmbeddingBuilder(Source(path, component), settings)


@dataclass(frozen=True)
class Source:
    """The location of a trained language model. See the settings of the same names."""

    path: str | None
    component: str

    def measure(self) -> dict[str, Any]:
        """Return the JSON from which its embedding of symbols and its encoder are rebuilt: their
        blocks of the training config, the width and the known symbols."""
        nlp, model = self._load()
        config = nlp.config.interpolate()  # spaCy keeps ${variables} as they were written
        block = config["components"][self.component]["model"]
        return {
            "blocks": {"symbols": block["symbols"], "encoder": block["encoder"]},
            "width": language_model_builder(model).width,
            "known": network_shim(model).facts,
        }

    def weights(self) -> Weights:
        network = cast(LanguageModel, network_shim(self._load()[1]).module)
        parts: dict[Any, nn.Module] = {"embedding": network.embedding, "encoder": network.encoder}
        return {name: part.state_dict() for name, part in parts.items()}

    def _load(self) -> tuple[Language, Model[Any, Any]]:
        """Load the pipeline; raise SettingsError if there is no trained language model."""
        where, do = f"{_NAME}, path", "Train one with the component rnn_lm, and set path to it."
        if self.path is None:
            raise SettingsError(expected(where, "a pipeline with a language model", "no path", do))
        try:
            nlp = spacy.load(self.path)
        except OSError:
            want = "the folder or package of a pipeline with a language model"
            raise SettingsError(expected(where, want, self.path, do)) from None
        pipe = nlp.get_pipe(self.component) if self.component in nlp.pipe_names else None
        model = getattr(pipe, "model", None)
        if model is None or model.name != "rnnpipe_language_model":
            want = f"the name of a language model in {self.path}, one of its {nlp.pipe_names}"
            raise SettingsError(expected(f"{_NAME}, component", want, self.component))
        if network_shim(model).facts is None:
            raise SettingsError(expected(where, "a trained language model", self.path, do))
        return nlp, model


@dataclass(frozen=True)
class LanguageModelEmbeddingBuilder:
    """Builds the parts of the language model from its own config blocks, which are stored in the
    facts. The component's config cannot change them."""

    source: Source
    settings: dict[str, Any]
    upstream: ClassVar[Any] = None

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        return self.source.measure()

    def build(self, facts: dict[str, Any]) -> Embedding:
        require_parts(facts["blocks"])
        parts = registry.resolve(facts["blocks"])
        return TorchEmbedding(
            parts["symbols"].build(facts["known"]),
            parts["encoder"](facts["width"]),
            facts["width"],
            self.source.weights,
            **self.settings,
        )

    def parts(self) -> Sequence[EmbeddingBuilder]:
        return [self]


def require_parts(block: Any) -> None:
    """Raise WeightsError if a block stored with weights names functions other than network parts:
    loading weights must not call arbitrary functions."""
    if not isinstance(block, Mapping):
        return
    for key, value in block.items():
        if key.startswith("@") and not key.startswith("@rnnpipe_"):
            do = "Do not load files from unknown sources."
            want = "names in registries that begin with rnnpipe_"
            raise WeightsError(expected(f"{_NAME}, saved blocks", want, f"{key} = {value}", do))
        require_parts(value)
