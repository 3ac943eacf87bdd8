"""Decoders that build trees against plain Python: greedy, and all trees of a few tokens."""

import math
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
import torch
from helpers.parsing_oracle import (
    Plain,
    all_trees,
    crosses,
    inner,
    plain_label_loss,
    plain_likelihood,
    plain_margin,
    span,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.types import Labels
from rnnpipe.errors import StructureError
from rnnpipe.parts.decoders.likelihood_parser import LikelihoodParser
from rnnpipe.parts.decoders.margin_parser import MarginParser
from rnnpipe.parts.decoders.parsing.brackets import Brackets
from rnnpipe.parts.decoders.parsing.plans import BinaryTrees, Choices
from rnnpipe.parts.encoders.tree.bidirectional_tree import BiChildSumTreeLSTM
from rnnpipe.parts.encoders.tree.tree import (
    RNTN,
    ChildSumTreeLSTM,
    NaryTreeLSTM,
    RecursiveNet,
    TreeGRU,
)
from rnnpipe.structures import Encoded, Sequences

N_IN, LABELS = 3, Labels(("(none)", "A", "B"))
COMPOSITIONS = {
    "RecursiveNet": RecursiveNet(width=4),
    "RNTN": RNTN(width=3),
    "NaryTreeLSTM": NaryTreeLSTM(width=4, arity=3),
    "ChildSumTreeLSTM": ChildSumTreeLSTM(width=4),
    "TreeGRU": TreeGRU(width=4),
    "wide": RecursiveNet(width=24),
}
#: Gold constituents of documents of 5, 4, 2 and 6 tokens, the second of which is not binary.
LENGTHS = [5, 4, 2, 6]
GOLD = [
    [(0, 5, 1), (0, 2, 2), (2, 5, 0), (3, 5, 1)],
    [(0, 4, 1)],
    [(0, 2, 0), (1, 2, 2)],
    [(0, 6, 0), (1, 4, 1)],
]


def made(builder):
    torch.manual_seed(0)
    decoder = builder(N_IN, LABELS)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return decoder.eval()


def margin(name="RecursiveNet", **changes):
    return made(MarginParser(COMPOSITIONS[name], **{"kappa": 0.7, **changes}))


def likelihood(name="RecursiveNet", **changes):
    return made(LikelihoodParser(COMPOSITIONS[name], **changes))


def encode(lengths, seed=0):
    structure = Sequences.of(lengths)
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(len(lengths), structure.size, N_IN, generator=generator)
    return Encoded(structure.blank(states).requires_grad_(), structure, N_IN)


def gold_of(documents):
    gold = torch.full((len(documents), max(map(len, documents)), 3), -1)
    for row, spans in zip(gold, documents, strict=True):
        if spans:
            row[: len(spans)] = torch.tensor(spans)
    return gold


def plain_of(decoder, x):
    lengths = x.lengths.tolist()
    return [Plain(decoder, row[:n]) for row, n in zip(x.states, lengths, strict=True)]


def tree_of(joins):
    """The tree that a search has found, from its joins; ``None`` for no tokens."""
    trees = {}
    for start, middle, end in joins:
        left = trees.get((start, middle), start)
        trees[start, end] = (left, trees.get((middle, end), middle))
    return trees[start, end]


def found_trees(found, document):
    return [
        tree_of([join for join in hypothesis if join[0] >= 0])
        for hypothesis, score in zip(
            found.joins[document].tolist(), found.scores[document].tolist(), strict=True
        )
        if score > -math.inf
    ]


@pytest.mark.parametrize("name", sorted(COMPOSITIONS))
def test_greedy_trees_and_classes_are_those_of_plain_python(name):
    for decoder in (margin(name), likelihood(name)):
        x = encode(LENGTHS)
        ids = decoder.predict(x).ids
        for nodes, plain in zip(ids.tolist(), plain_of(decoder, x), strict=True):
            tree, _ = plain.greedy()
            assert sorted(tuple(n) for n in nodes if n[0] >= 0) == plain.classes(tree)


def test_greedy_scores():
    x = encode(LENGTHS)
    for decoder in (margin(), likelihood()):
        found = decoder.best(x)
        for i, plain in enumerate(plain_of(decoder, x)):
            tree, steps = plain.greedy()
            normalised = decoder.__class__.__name__.startswith("Likelihood")
            want = plain.normalised_score(steps) if normalised else plain.tree_score(tree)
            assert float(found.scores[i, 0]) == pytest.approx(want, abs=1e-5)


def test_a_beam_that_holds_all_trees_finds_them_all():
    decoder, x = margin(beam_size=60), encode([5, 1, 3, 4])
    found = decoder.best(x)
    for i, plain in enumerate(plain_of(decoder, x)):
        trees = all_trees(0, len(plain.x))
        if len(trees) == 1 and len(plain.x) == 1:
            continue  # nothing is joined
        assert set(found_trees(found, i)) == set(trees)  # each once
        best = sorted((plain.tree_score(tree) for tree in trees), reverse=True)
        assert found.scores[i, : len(best)].tolist() == pytest.approx(best, abs=1e-4)
        assert (found.scores[i, len(best) :] == -torch.inf).all()


def test_a_beam_finds_no_tree_twice():
    decoder, x = margin(beam_size=4), encode([7, 6, 2])
    found = decoder.best(x)
    for i in range(3):
        trees = found_trees(found, i)
        assert len(set(trees)) == len(trees) == (1 if i == 2 else 4)


def test_the_probabilities_of_three_tokens_trees_add_up_to_one():
    decoder = likelihood(beam_size=5)
    assert float(decoder.best(encode([3])).scores.exp().sum()) == pytest.approx(1.0, abs=1e-5)


SPANS = st.tuples(st.integers(0, 6), st.integers(1, 4)).map(lambda s: (s[0], min(7, sum(s))))


@settings(deadline=None, max_examples=60)
@given(st.lists(SPANS, max_size=4), SPANS)
def test_crossing(spans, one):
    gold = torch.tensor([[*spans, (-1, -1)]])
    brackets = Brackets.of(gold, 7)
    start, end = (torch.tensor([[p]]) for p in one)
    assert bool(brackets.crossed(torch.tensor([[0]]), start, end)) == crosses(one, spans)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_right_trees_hold_the_gold_constituents(beam_size):
    decoder, x = margin(beam_size=beam_size), encode(LENGTHS)
    rivals = decoder.choose(x, x.lengths, gold_of(GOLD))
    spans = np.split(rivals.trees.spans, np.cumsum(rivals.trees.sizes)[:-1])
    for document, gold in enumerate(GOLD):
        right = {tuple(s) for s in spans[document * (beam_size + 1) + beam_size].tolist()}
        assert {(start, end) for start, end, _ in gold} <= right


def test_nodes_and_parents_of_a_tree():
    #  0 ((1 2) 3)
    joins = np.array([[[1, 2, 3], [1, 3, 4], [0, 1, 4]], [[-1] * 3] * 3])
    trees = BinaryTrees.of(joins, np.array([4, 1]))
    spans = [[0, 1], [1, 2], [2, 3], [1, 3], [3, 4], [1, 4], [0, 4], [0, 1]]
    assert trees.spans.tolist() == spans
    assert trees.parents.tolist() == [6, 3, 3, 5, 5, 6, -1, -1]
    assert trees.joins.tolist() == [[3, 5, 6], [-1] * 3]
    assert trees.tokens.tolist() == [0, 1, 2, -1, 3, -1, -1, 0]
    gold = np.array([[1, 3, 2], [0, 4, 1]])
    classes = trees.classes(np.array([0, 0]), gold)
    assert classes.tolist() == [[0, 0, 0, 2, 0, 0, 1], [0, *[-1] * 6]]


def test_choices_are_those_of_plain_python():
    decoder, x = likelihood(), encode([6, 1, 4, 0])
    found = decoder.best(x)
    choices = Choices.of(found.joins[:, 0].numpy(), x.lengths.numpy())
    pairs = [*zip(choices.rows.tolist(), map(tuple, choices.spans.tolist()), strict=True), None]
    got = [{pairs[i] for i in row} - {None} for row in choices.table.tolist()]
    want = []
    for document, plain in enumerate(plain_of(decoder, x)):
        for possible, _ in plain.greedy()[1]:
            triples = [(*span(left), span(right)[1]) for left, right in possible]
            want.append({(document, triple) for triple in triples})
    assert len(got) == len(want) and all(step in want for step in got)


def slow_loss(decoder, x):
    total = 0.0
    for plain, gold in zip(plain_of(decoder, x), GOLD, strict=True):
        spans = [(start, end) for start, end, _ in gold]
        if isinstance(getattr(decoder, "kappa", None), float):
            loss, tree = plain_margin(plain, decoder.kappa, spans)
        else:
            loss, tree = plain_likelihood(plain, spans)
        classes = {(start, end): number for start, end, number in gold}
        total = total + loss + plain_label_loss(plain, tree, classes)
    return total


@pytest.mark.parametrize("build", [margin, likelihood])
@pytest.mark.parametrize("name", ["RecursiveNet", "NaryTreeLSTM"])
def test_loss_and_gradients_are_those_of_plain_python(build, name):
    decoder, x = build(name), encode(LENGTHS)
    fast, slow = decoder.loss(x, gold_of(GOLD)), slow_loss(decoder, x)
    torch.testing.assert_close(fast, slow, atol=1e-4, rtol=1e-4)
    weights = [x.states, *decoder.parameters()]
    theirs = torch.autograd.grad(slow, weights)
    for ours, other in zip(torch.autograd.grad(fast, weights), theirs, strict=True):
        torch.testing.assert_close(ours, other, atol=1e-4, rtol=1e-3)


def test_the_margin_of_whole_trees_counts_at_least():
    """With a beam that holds all trees: max over y of s(y) + kappa D(y) - s(y*)."""
    decoder, x = margin(beam_size=60), encode(LENGTHS[:3])
    label_loss = sum(
        float(plain_label_loss(plain, right, {(s, e): n for s, e, n in gold}).detach())
        for plain, gold, right in rights(decoder, x)
    )
    want = 0.0
    for plain, gold, right in rights(decoder, x):
        spans = [(start, end) for start, end, _ in gold]
        wrong = {
            t: sum(crosses(span(n), spans) for n in inner(t)) for t in all_trees(0, len(plain.x))
        }
        augmented = [plain.tree_score(t) + decoder.kappa * n for t, n in wrong.items() if n]
        want += max(0.0, max(augmented, default=0.0) - plain.tree_score(right))
    loss = float(decoder.loss(x, gold_of(GOLD[:3])).detach()) - label_loss
    assert want > 0 and loss >= want - 1e-4


def rights(decoder, x):
    """Of each document the best of the trees that cross no gold constituent."""
    for plain, gold in zip(plain_of(decoder, x), GOLD, strict=False):
        spans = [(start, end) for start, end, _ in gold]
        trees = all_trees(0, len(plain.x))
        right = [t for t in trees if not any(crosses(span(n), spans) for n in inner(t))]
        yield plain, gold, max(right, key=plain.tree_score)


@pytest.mark.parametrize("build", [margin, likelihood])
def test_a_network_that_has_learnt_builds_the_gold_trees(build):
    decoder, x = build("wide").train(), encode(LENGTHS)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        decoder.loss(replace(x, states=x.states.detach()), gold_of(GOLD)).backward()
        optimizer.step()
    for nodes, gold in zip(decoder.predict(x).ids.tolist(), GOLD, strict=True):
        found = {tuple(node) for node in nodes}
        assert {c for c in gold if c[2]} == {c for c in found if c[2] > 0}


@pytest.mark.parametrize("build", [margin, likelihood])
def test_a_training_step_waits_for_nothing(build):
    """The search runs without a device as far as its answer, and so does the loss of an answer."""
    decoder, x = build(beam_size=2), encode(LENGTHS)
    plan = decoder.choose(x, x.lengths, gold_of(GOLD))
    decoder = decoder.to("meta")
    with torch.device("meta"):
        states = torch.randn(4, 6, N_IN, requires_grad=True)
        meta = Encoded(states, Sequences(torch.empty(4, dtype=torch.int64), 6), N_IN)
        assert decoder.best(meta).joins.shape == (4, 2, 5, 3)
        decoder.loss_of(meta, on_meta(plan)).backward()
        assert states.grad.shape == states.shape


def on_meta(plan):
    assert is_dataclass(plan)
    values = {f.name: getattr(plan, f.name) for f in fields(plan)}
    tensors = {name: v.to("meta") for name, v in values.items() if isinstance(v, torch.Tensor)}
    return replace(plan, **tensors)


def test_an_encoder_that_cannot_join():
    with pytest.raises(StructureError) as error:
        MarginParser(BiChildSumTreeLSTM(width=3))(N_IN, LABELS)
    assert str(error.value) == (
        "decoder.composition: expected a tree encoder that joins two nodes into one, got "
        "BiTreeEncoder. Choose another encoder, such as 'rnnpipe.RecursiveNet.v1'."
    )


def test_a_cell_for_one_child():
    decoder = MarginParser(RecursiveNet(width=3, arity=1))(N_IN, LABELS)
    with pytest.raises(
        StructureError, match="expected trees with at most 1 children per node, got a"
    ):
        decoder.predict(encode([2]))


def test_pooled_documents():
    with pytest.raises(
        StructureError, match="expected the states of an encoder, one for each node"
    ):
        margin().loss(torch.zeros(2, N_IN), gold_of(GOLD[:2]))
