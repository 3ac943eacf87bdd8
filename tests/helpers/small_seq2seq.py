"""Small sequence-to-sequence models over eight symbols, pairs for them, and all step by step."""

import numpy as np
import torch

from rnnpipe.contracts.types import BOUNDARY, Text
from rnnpipe.models.translation.model import Pair, Seq2SeqBuilder
from rnnpipe.parts.attentions.additive import Additive
from rnnpipe.parts.attentions.dot import Dot
from rnnpipe.parts.attentions.general import General
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import GRU, LSTM
from rnnpipe.parts.outputs.full import FullSoftmax, TiedSoftmax
from rnnpipe.parts.symbols.characters import Characters
from rnnpipe.structures import Sequences

FACTS = {"source": {"characters": list("abcdef")}, "target": {"characters": list("uvwxyz")}}
SIZE = 8

#: Every way through the code.
MODELS = {
    "attention": {},
    "no attention": {"attention": None},
    "feeding": {"input_feeding": True, "attention": Additive(width=4)},
    "feeding deep": {"input_feeding": True, "decoder": LSTM(width=4, depth=2)},
    "reversed": {"encoder": LSTM(width=4), "reverse_source": True, "attention": Dot()},
    "same states": {"encoder": GRU(width=4), "decoder": GRU(width=4), "attention": None},
    "shared": {"target": None, "output": TiedSoftmax()},
}


def model(kind="attention", seed=0, **settings):
    torch.manual_seed(seed)
    settings = {
        "source": Characters(),
        "target": Characters(),
        "encoder": BiLSTM(width=3),
        "decoder": LSTM(width=4),
        "attention": General(),
        "output": FullSoftmax(),
        "width": 5,
        **MODELS[kind],
        **settings,
    }
    return Seq2SeqBuilder(**settings).build(FACTS)


def pair(n_source, n_target, seed=0):
    rng = np.random.default_rng([seed, n_source, n_target])
    source, target = rng.integers(1, SIZE, n_source), rng.integers(1, SIZE, n_target)
    return Pair(source, Text(np.append(BOUNDARY, target), np.append(target, BOUNDARY)))


def pairs(*sizes):
    return [pair(*size) for size in sizes]


@torch.no_grad()
def plainly(network, one):
    """Symbol by symbol, for one pair: log-probabilities ``(N,)`` and attention ``(N, S)``."""
    source = one.source[::-1] if network.reverse_source else one.source
    state, finals, memory = begin(network, source)
    if network.reverse_source:
        memory = memory[::-1]
    state = bridged(network, state, finals)
    fed, scores, looks = torch.zeros(1, network.width), [], []
    for symbol, target in zip(one.target.inputs, one.target.targets, strict=True):
        x = network.target_embedding.weight[symbol : symbol + 1]
        if network.input_feeding:
            x = torch.cat([x, fed], dim=1)
        h, state = network.decoder.step(x, state)
        if network.attend is not None:
            attention = network.attend.attention
            context, weights = torch.zeros(1, network.encoder.n_out), []
            if memory:
                values = [
                    attention.scores(h.view(1, 1, -1), attention.keys(s.view(1, 1, -1))).item()
                    for s in memory
                ]
                weights = torch.tensor(values).softmax(0).tolist()
                context = sum(w * s for w, s in zip(weights, memory, strict=True))
            h = fed = torch.tanh(network.attend.combine(torch.cat([context, h], dim=1)))
            looks.append(weights)
        scores.append(float(network.output.log_probabilities(h)[0, target]))
    return scores, looks


def begin(network, source):
    """The encoder's last state, the states at its halves' ends, ``(1, H)``, and each node's."""
    vectors = network.source_embedding.weight[torch.from_numpy(source.copy())]
    if network.encoder.causal:
        state, memory = network.encoder.start(1), []
        for x in vectors:
            h, state = network.encoder.step(x.unsqueeze(0), state)
            memory.append(h)
        return state, memory[-1] if memory else torch.zeros(1, network.encoder.n_out), memory
    encoded = network.encoder(vectors.unsqueeze(0), Sequences.of([len(source)]))
    return None, encoded.final, list(encoded.states[0].unsqueeze(1))


def bridged(network, state, finals):
    if network.bridge.direct:
        return state
    ((h, c), *rest) = network.decoder.start(1)
    layers = [(h, c), *rest]
    projections = iter(network.bridge.projections)
    return tuple(tuple(torch.tanh(next(projections)(finals)) for _ in layer) for layer in layers)
