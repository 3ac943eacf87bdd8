"""``rnnpipe.LanguageModelEmbedding.v1``: a language model, trained before, as an embedding."""

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
    """The states of a trained ``rnn_lm`` where the tokens of a document end: word vectors in
    context, by the equation in :mod:`rnnpipe.parts.embeddings.language_model`. For both directions,
    put a model that reads forward and one that reads backward side by side with
    ``rnnpipe.Concat.v1``.

    path: the pipeline that it was trained in: a folder such as ``model-best``, or the name of an
        installed package. It is read when the component is initialised. What is needed of it is
        saved with the component, which then does without.
    component: its name in that pipeline.
    layers: ``"top"``, or a learned mixture of all (ELMo).
    finetune: whether the language model goes on learning; otherwise it stays as it is.
    width: project the vectors to this size by a learned linear map; by default they are as wide as
        the language model's states.
    dropout: of the vectors.
    max_length: how many symbols of a document are read at once; more are read piece by piece, each
        from the state that the one before has left.
    max_padded_symbols: the most positions computed at once; bounds the memory.

    Initialisation raises SettingsError if there is no such pipeline or component, and
    StructureError if layers are to be mixed and the model's encoder has, or shows, but one.
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
    """Where a trained language model is. See the settings of the same names."""

    path: str | None
    component: str

    def measure(self) -> dict[str, Any]:
        """What it takes to build its embedding of symbols and its encoder again, as JSON: their
        blocks of the config that it was trained with, the width and the known symbols."""
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
        """Raises SettingsError if there is no trained language model."""
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
    """The parts of the language model are built from its own config blocks, which are kept among
    the facts: the component's config need not, and cannot, say again how the model was built."""

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
    """Raises WeightsError if a block that is kept with weights names other than parts of networks:
    whoever loads weights is not to call other functions of the file's choice."""
    if not isinstance(block, Mapping):
        return
    for key, value in block.items():
        if key.startswith("@") and not key.startswith("@rnnpipe_"):
            do = "Do not load files from unknown sources."
            want = "names in registries that begin with rnnpipe_"
            raise WeightsError(expected(f"{_NAME}, saved blocks", want, f"{key} = {value}", do))
        require_parts(value)
