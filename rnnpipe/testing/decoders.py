"""What every decoder that labels nodes or documents promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.schemes import SCHEMES
from rnnpipe.contracts.types import DecoderBuilder, Labels, SequenceGeneratorBuilder
from rnnpipe.structures import Encoded, Sequences
from rnnpipe.testing.drawing import padded, vectors_of
from rnnpipe.testing.modules import (
    rebuilt,
    require_copies,
    require_names,
    require_no_gradient,
    require_reached,
    require_same_in_training,
    require_same_weights,
    require_trained,
    require_true_gradients,
)
from rnnpipe.testing.promises import (
    Kind,
    require,
    require_close,
    require_equal,
    require_gradients,
    require_shape,
    require_type,
    smallest,
    trying,
)

#: What nodes are labelled with: tags under a scheme, and labels without one.
TAGS = Labels(SCHEMES["BIO"].tags(["A", "B"]), SCHEMES["BIO"])
PLAIN = Labels(("x", "y", "z"))


@dataclass(frozen=True)
class DecoderCase:
    """A decoder to check. n_in: the width of the states, or of the vectors, that it is given."""

    name: str
    builder: DecoderBuilder
    n_in: int = 4

    def build(self, labels: Labels = PLAIN, seed: int = 1) -> Any:
        """The decoder in evaluation mode, its weights at random: none begins at zero."""
        torch.manual_seed(seed)
        decoder: Any = self.builder(self.n_in, labels)
        with torch.no_grad():
            for parameter in decoder.parameters():
                parameter.add_(torch.randn_like(parameter))
        return decoder.eval()

    def encoded(self, lengths: Sequence[int], seed: int = 0) -> Encoded:
        states = padded(vectors_of(lengths, self.n_in, seed), self.n_in)
        return Encoded(states.requires_grad_(), Sequences.of(lengths), self.n_in)

    def document(self, encoded: Encoded, i: int, n: int) -> Encoded:
        return Encoded(encoded.states[i : i + 1, :n], Sequences.of([n]), self.n_in)

    def truths(self, n: int) -> Tensor:
        """Gold labels of n documents, as such a decoder wants them."""
        gold = torch.arange(n) % len(PLAIN)
        if self.build().exclusive:
            return gold
        return torch.nn.functional.one_hot(gold, len(PLAIN)).float()


DECODER = Kind("decoder", decoders, DecoderBuilder, DecoderCase, others=(SequenceGeneratorBuilder,))


def _of_nodes(case: DecoderCase) -> bool:
    return bool(case.build().labels_nodes)


def _of_documents(case: DecoderCase) -> bool:
    return bool(case.build().labels_documents)


def _labels(case: DecoderCase) -> bool:
    return _of_nodes(case) or _of_documents(case)


def _gold(lengths: Sequence[int]) -> Tensor:
    """``(B, T)``, legal under BIO: the beginning of the first type, then outside."""
    gold = torch.full((len(lengths), max(lengths, default=0)), -1)
    for row, n in zip(gold, lengths, strict=True):
        row[:n] = 0
        row[: min(n, 1)] = 1
    return gold


def _for_all_labels(check: Callable[[Labels, list[int]], None]) -> None:
    """On tags and plain labels, and documents of drawn lengths."""
    from hypothesis import strategies as st

    lengths = st.lists(st.integers(0, 5), min_size=1, max_size=4)
    for labels in (TAGS, PLAIN):
        with trying(f"labels {', '.join(labels.names)}"):

            def with_labels(lengths: list[int], labels: Labels = labels) -> None:
                check(labels, lengths)

            always: list[dict[str, Any]] = [{"lengths": [3, 0, 5, 1]}, {"lengths": [2, 4, 0]}]
            smallest(with_labels, 10, always, lengths=lengths)


@DECODER.promise("The loss is a number: the sum of the documents' losses.", where=_of_nodes)
def node_loss(case: DecoderCase) -> None:
    def check(labels: Labels, lengths: list[int]) -> None:
        decoder, encoded, gold = case.build(labels), case.encoded(lengths), _gold(lengths)
        whole = decoder.loss(encoded, gold)
        require_shape(whole, (), "loss")
        parts = sum(
            decoder.loss(case.document(encoded, i, n), gold[i : i + 1, :n])
            for i, n in enumerate(lengths)
        )
        require_close(whole, parts, "loss, and the sum of the documents' losses", 1e-4)

    _for_all_labels(check)


@DECODER.promise("A document's labels do not depend on the others in its batch.", where=_of_nodes)
def node_batch(case: DecoderCase) -> None:
    def check(labels: Labels, lengths: list[int]) -> None:
        decoder, encoded = case.build(labels), case.encoded(lengths)
        together = decoder.predict(encoded).ids
        require_shape(together, tuple(encoded.mask.shape), "ids")
        require_type(together, torch.int64, "ids")
        for i, n in enumerate(lengths):
            alone = decoder.predict(case.document(encoded, i, n)).ids[0]
            require_equal(alone, together[i, :n], f"labels of document {i}, alone and together")
            require(not together[i, n:].any(), f"labels of document {i}: expected 0 at padding.")

    _for_all_labels(check)


@DECODER.promise("No gradient comes from padding or from missing labels.", where=_of_nodes)
def node_gradients(case: DecoderCase) -> None:
    def check(labels: Labels, lengths: list[int]) -> None:
        decoder, encoded, gold = case.build(labels).train(), case.encoded(lengths), _gold(lengths)
        decoder.loss(encoded, gold).backward()
        states = encoded.states
        if any(lengths):
            require_gradients(states.grad, "states")
            require_trained(decoder)
            assert states.grad is not None
            require_no_gradient(states.grad[~encoded.mask], "padding")
        states.grad = None
        decoder.loss(encoded, torch.full_like(gold, -1)).backward()
        if states.grad is not None:
            nothing = torch.zeros_like(states.grad)
            require_close(states.grad, nothing, "gradient where all labels are missing")

    _for_all_labels(check)


@DECODER.promise("Documents without nodes cost nothing and have no labels.", where=_of_nodes)
def node_empty(case: DecoderCase) -> None:
    for labels in (TAGS, PLAIN):
        for lengths in ([0], [0, 0]):
            with trying(f"labels {', '.join(labels.names)}; lengths = {lengths}"):
                decoder, encoded = case.build(labels), case.encoded(lengths)
                loss = decoder.loss(encoded, _gold(lengths))
                loss.backward()
                cost = float(loss.detach())
                require(cost == 0.0, f"loss: expected 0, got {cost:g}.")
                require_shape(decoder.predict(encoded).ids, (len(lengths), 0), "ids")


@DECODER.promise("Tags are legal under the labels' scheme.", where=_of_nodes)
def legality(case: DecoderCase) -> None:
    assert TAGS.scheme is not None
    decoder, tag_set = case.build(TAGS), TAGS.scheme.bind(TAGS.names)
    for seed in range(40):
        path = decoder.predict(case.encoded([6], seed)).ids[0]
        with trying(f"a document of 6 nodes, tagged {[TAGS.names[i] for i in path.tolist()]}"):
            fault = tag_set.check(path.numpy())
            require(fault is None, f"tags: {fault}")


@DECODER.promise("Gradients in double precision are those of finite differences.", where=_labels)
def gradient_check(case: DecoderCase) -> None:
    decoder = case.build().double()
    if _of_nodes(case):
        with trying("documents of 2, 0 and 3 nodes"):
            encoded, gold = case.encoded([2, 0, 3]), _gold([2, 0, 3])
            states = encoded.states.detach().double().requires_grad_()
            require_true_gradients(
                decoder, lambda x: decoder.loss(replace(encoded, states=x), gold), states
            )
    if _of_documents(case):
        with trying("4 documents"):
            truths = case.truths(4)
            truths = truths.double() if truths.is_floating_point() else truths
            x = torch.randn(4, case.n_in).double().requires_grad_()
            require_true_gradients(decoder, lambda x: decoder.loss(x, truths), x)


@DECODER.promise("A training step on nodes never waits for the device.", where=_of_nodes)
def node_meta(case: DecoderCase) -> None:
    for labels in (TAGS, PLAIN):
        decoder = case.build(labels).to("meta").train()
        with trying(f"labels {', '.join(labels.names)}"), torch.device("meta"):
            states = torch.randn(3, 5, case.n_in, requires_grad=True)
            structure = Sequences(torch.empty(3, dtype=torch.int64), 5)
            gold = torch.empty(3, 5, dtype=torch.int64)
            decoder.loss(Encoded(states, structure, case.n_in), gold).backward()
            require(states.grad is not None, "states: expected a gradient, got none.")


@DECODER.promise("Copies, pickles and loaded weights give the same labels.", where=_of_nodes)
def node_copies(case: DecoderCase) -> None:
    encoded = case.encoded([3, 4])
    for labels in (TAGS, PLAIN):
        with trying(f"labels {', '.join(labels.names)}; documents of 3 and 4 nodes"):
            require_copies(
                case.build(labels),
                lambda decoder: decoder.predict(encoded).ids,
                rebuilt(case, labels=labels),
            )


@DECODER.promise("label_axes names the axes that run over labels.")
def label_axes(case: DecoderCase) -> None:
    for labels in (TAGS, PLAIN):
        more = Labels((*labels.names, "B-C", "I-C"), labels.scheme)
        small, decoder = case.build(labels).state_dict(), case.build(more)
        for name, weight in decoder.state_dict().items():
            axes = tuple(decoder.label_axes.get(name, ()))
            pairs = zip(small[name].shape, weight.shape, strict=True)
            grown = tuple(axis for axis, (old, new) in enumerate(pairs) if old != new)
            with trying(f"{len(labels)} labels, and {len(more)}"):
                require(axes == grown, f"label_axes of {name}: expected {grown}, got {axes}.")


@DECODER.promise("The loss is the sum of the documents' losses, learnt from.", where=_of_documents)
def document_loss(case: DecoderCase) -> None:
    with trying("6 documents"):
        decoder, x, gold = case.build(), torch.randn(6, case.n_in), case.truths(6)
        whole = decoder.train().loss(x.requires_grad_(), gold)
        require_shape(whole, (), "loss")
        parts = sum(decoder.loss(x[i : i + 1], gold[i : i + 1]) for i in range(6))
        require_close(whole, parts, "loss, and the sum of the documents' losses")
        whole.backward()
        require_gradients(x.grad, "vectors")
        require_reached(decoder)


@DECODER.promise("A document's label does not depend on the others.", where=_of_documents)
def document_batch(case: DecoderCase) -> None:
    with trying("6 documents, and none"):
        decoder, x = case.build(), torch.randn(6, case.n_in)
        together = decoder.predict(x)
        require_shape(together.ids, (6,), "ids")
        require_type(together.ids, torch.int64, "ids")
        require_shape(together.probabilities, (6, len(PLAIN)), "probabilities")
        for i in range(6):
            alone = decoder.predict(x[i : i + 1])
            require_close(
                alone.probabilities[0], together.probabilities[i], f"probabilities of document {i}"
            )
        none = decoder.predict(x[:0])
        require_shape(none.probabilities, (0, len(PLAIN)), "probabilities of no documents")


@DECODER.promise("A training step on documents never waits for the device.", where=_of_documents)
def document_meta(case: DecoderCase) -> None:
    decoder, gold = case.build().to("meta").train(), case.truths(4).to("meta")
    with trying("4 documents on the device 'meta'"):
        x = torch.randn(4, case.n_in, device="meta", requires_grad=True)
        decoder.loss(x, gold).backward()
        require(x.grad is not None, "vectors: expected a gradient, got none.")


@DECODER.promise("Copies give the same probabilities of documents.", where=_of_documents)
def document_copies(case: DecoderCase) -> None:
    with trying("4 documents"):
        x = torch.randn(4, case.n_in)
        require_copies(
            case.build(), lambda decoder: decoder.predict(x).probabilities, rebuilt(case)
        )


@DECODER.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: DecoderCase) -> None:
    require_names(case.build())


@DECODER.promise("The same seed gives the same weights, and the same loss in training.")
def seeds(case: DecoderCase) -> None:
    built = case.build(seed=7), case.build(seed=7)
    require_same_weights(*built)
    if _of_nodes(case):
        with trying("documents of 3 and 4 nodes, built and run twice under the seed 7"):
            encoded, gold = case.encoded([3, 4]), _gold([3, 4])
            require_same_in_training(*built, lambda d: d.loss(encoded, gold), "loss")
    if _of_documents(case):
        with trying("4 documents, built and run twice under the seed 7"):
            x, truths = torch.randn(4, case.n_in), case.truths(4)
            require_same_in_training(*built, lambda d: d.loss(x, truths), "loss")
