"""What every embedding promises: of words, of documents, and of another layer's vectors."""

from __future__ import annotations

import copy
import json
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import EmbeddingBuilder
from rnnpipe.models.labelling.batching import take_words
from rnnpipe.models.labelling.network import to_device
from rnnpipe.testing.embedding_case import WORDS, EmbeddingCase
from rnnpipe.testing.modules import (
    require_copies,
    require_names,
    require_same_in_training,
    require_same_weights,
)
from rnnpipe.testing.promises import (
    Kind,
    require,
    require_close,
    require_gradients,
    require_shape,
    require_type,
    smallest,
    trying,
)

#: Words that training has not had.
UNSEEN = ["zyzzyva", "🜁", "!!!!!!", "a" * 300]
EMBEDDING = Kind("embedding", embeddings, EmbeddingBuilder, EmbeddingCase)


def _reads(case: EmbeddingCase) -> bool:
    return bool(case.lexical or case.contextual)


def _is_lexical(case: EmbeddingCase) -> bool:
    return bool(case.lexical)


def _is_fed(case: EmbeddingCase) -> bool:
    return bool(case.fed)


def _is_contextual(case: EmbeddingCase) -> bool:
    return bool(case.contextual)


def _over(module: Any, upstream: Tensor) -> Tensor:
    vectors: Tensor = module({"upstream": upstream})
    return vectors


def _vectors(module: Any, items: Any, device: str = "cpu") -> Tensor:
    vectors: Tensor = module(to_device(module.featurize(items), torch.device(device)))
    return vectors


@EMBEDDING.promise("What it measures is JSON, and enough to build it.")
def facts(case: EmbeddingCase) -> None:
    for builder, measured in case.parts:
        module: Any = builder.build(json.loads(json.dumps(measured)))
        require(module.n_out > 0, f"n_out: expected a width, got {module.n_out}.")


@EMBEDDING.promise("A word's vector does not depend on the other words.", where=_is_lexical)
def words(case: EmbeddingCase) -> None:
    modules = case.lexical

    def check(texts: list[str]) -> None:
        items = case.words(texts)
        for module in modules:
            together = _vectors(module, items)
            require_shape(together, (len(items), module.n_out), "vectors")
            require_type(together, torch.float32, "vectors")
            for i in range(len(items)):
                alone = _vectors(module, take_words(items, np.array([i])))
                require_close(alone[0], together[i], f"vector of word {i}, alone and together")

    from hypothesis import strategies as st

    texts = st.lists(st.sampled_from(WORDS + UNSEEN), min_size=1, max_size=6, unique=True)
    smallest(check, 8, texts=texts)
    check(WORDS)


@EMBEDDING.promise("Words that training had not have finite vectors.", where=_is_lexical)
def unseen(case: EmbeddingCase) -> None:
    for text in UNSEEN:
        with trying(f"the word {text!r}"):
            for module in case.lexical:
                vectors = _vectors(module, case.words([text]))
                require(bool(vectors.isfinite().all()), "vector: expected finite numbers.")


@EMBEDDING.promise("Its parameters learn from words and documents.", where=_reads)
def gradients(case: EmbeddingCase) -> None:
    with trying("words and documents"):
        for shared, items in case.inputs():
            module = copy.deepcopy(shared)
            parameters = [p for p in module.parameters() if p.requires_grad]
            if parameters:
                torch.autograd.backward(_vectors(module.train(), items).square().sum())
                reached = [p.grad for p in parameters if p.grad is not None and p.grad.any()]
                require(bool(reached), "parameters: expected a gradient of one at least.")


@EMBEDDING.promise("Gradients in double precision are those of finite differences.")
def gradient_check(case: EmbeddingCase) -> None:
    with trying("words and documents"):
        for shared, items in case.inputs():
            features = to_device(shared.featurize(items), torch.device("cpu"))
            _check_gradients(shared, features)
    for shared, width in case.fed:
        with trying("3 tokens"):
            x = torch.randn(3, width, dtype=torch.float64, requires_grad=True)
            _check_gradients(shared, {"upstream": x}, x)


def _check_gradients(shared: Any, features: dict[str, Tensor], *inputs: Tensor) -> None:
    """inputs: those of the features that are to have a gradient, beside the parameters."""
    module = copy.deepcopy(shared).double()
    exact = {name: x.double() if x.is_floating_point() else x for name, x in features.items()}
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    zeros = _padding_rows(module)

    def vectors(*values: Tensor) -> Tensor:
        weights = dict(zip(trained, values[len(inputs) :], strict=True))
        for name, row in zeros.items():
            weights[name] = weights[name].index_fill(0, row, 0.0)
        got: Tensor = torch.func.functional_call(module, weights, (exact,))
        return got

    if inputs or trained:
        torch.autograd.gradcheck(vectors, (*inputs, *trained.values()), fast_mode=True)


def _padding_rows(module: nn.Module) -> dict[str, Tensor]:
    """By the name of a table, the row that is not trained, whose gradient torch leaves out."""
    tables = [(n, m) for n, m in module.named_modules() if isinstance(m, nn.Embedding)]
    return {
        f"{name}.weight": torch.tensor([table.padding_idx])
        for name, table in tables
        if table.padding_idx is not None and table.weight.requires_grad
    }


@EMBEDDING.promise("A training step never waits for a value from the device.")
def meta(case: EmbeddingCase) -> None:
    with trying("words and documents on the device 'meta'"):
        for module, items in case.inputs():
            vectors = _vectors(copy.deepcopy(module).to("meta").train(), items, "meta")
            require(vectors.is_meta, f"vectors: expected them on meta, got {vectors.device}.")
            if vectors.requires_grad:
                torch.autograd.backward(vectors.sum())
    for module, width in case.fed:
        with trying("vectors of another layer on the device 'meta'"):
            x = torch.randn(3, width, device="meta", requires_grad=True)
            copy.deepcopy(module).to("meta").train()({"upstream": x}).sum().backward()
            require(x.grad is not None, "vectors: expected a gradient, got none.")


@EMBEDDING.promise("Copies, pickles and loaded weights give the same vectors.")
def copies(case: EmbeddingCase) -> None:
    again = dict(zip(case.modules, case.rebuilt(), strict=True))
    with trying("words and documents"):
        for module, items in case.inputs():
            require_copies(module, partial(_vectors, items=items), again[module])
    for module, width in case.fed:
        x = torch.randn(3, width)
        with trying("vectors of another layer"):
            require_copies(module, partial(_over, upstream=x), again[module])


@EMBEDDING.promise("A token's vector does not depend on the other tokens.", where=_is_fed)
def fed_tokens(case: EmbeddingCase) -> None:
    for module, width in case.fed:
        with trying("4 tokens, and none"):
            x = torch.randn(4, width)
            together = module({"upstream": x})
            require_shape(together, (4, module.n_out), "vectors")
            for i in range(4):
                alone = module({"upstream": x[i : i + 1]})[0]
                require_close(alone, together[i], f"vector of token {i}, alone and together")
            require_shape(module({"upstream": x[:0]}), (0, module.n_out), "vectors of no tokens")


@EMBEDDING.promise("Gradients flow back into the layer that it reads.", where=_is_fed)
def fed_gradients(case: EmbeddingCase) -> None:
    for module, width in case.fed:
        with trying("3 tokens"):
            x = torch.randn(3, width, requires_grad=True)
            module({"upstream": x}).square().sum().backward()
            for i in range(3):
                require_gradients(x.grad[i] if x.grad is not None else None, f"token {i}")


@EMBEDDING.promise("A document's vectors do not depend on the others.", where=_is_contextual)
def documents(case: EmbeddingCase) -> None:
    docs = case.documents()
    with trying(f"documents of {case.lengths} items, and none"):
        for module in case.contextual:
            together = _vectors(module, docs)
            require_shape(together, (sum(case.lengths), module.n_out), "vectors")
            require_type(together, torch.float32, "vectors")
            alone = torch.cat([_vectors(module, [doc]) for doc in docs])
            require_close(alone, together, "vectors, alone and together")
            require_shape(_vectors(module, []), (0, module.n_out), "vectors of no documents")


@EMBEDDING.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: EmbeddingCase) -> None:
    for module in case.modules:
        require_names(module)


@EMBEDDING.promise("The same seed gives the same weights, and the same vectors in training.")
def seeds(case: EmbeddingCase) -> None:
    pairs = dict(zip(case.modules, zip(case.build(7), case.build(7), strict=True), strict=True))
    for first, second in pairs.values():
        require_same_weights(first, second)
    with trying("words and documents, read twice under the seed 7"):
        for module, items in case.inputs():
            first, second = pairs[module]
            require_same_in_training(first, second, partial(_vectors, items=items), "vectors")
