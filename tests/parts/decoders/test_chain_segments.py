"""The probability of an entity, against all sequences that contain it."""

import numpy as np
import pytest
import torch
from helpers.chain_oracle import oracles, random_chain

from rnnpipe.contracts.schemes import SCHEMES
from rnnpipe.parts.decoders.chain import partition
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.parts.decoders.chain.segments import Segments, segment_log_probabilities
from rnnpipe.structures import Sequences

LENGTHS = [4, 0, 1, 3]


def all_spans(lengths, n_types):
    return [
        (row, start, end, kind)
        for row, n in enumerate(lengths)
        for start in range(n)
        for end in range(start + 1, n + 1)
        for kind in range(n_types)
    ]


def constrain(chain, tags):
    """The chain with the scheme's rules."""
    rules = (torch.from_numpy(rule) for rule in (tags.transitions, tags.start, tags.end))
    scores = zip((chain.transitions, chain.start, chain.end), rules, strict=True)
    masked = [score.masked_fill(~rule, -torch.inf) for score, rule in scores]
    return Chain(chain.emissions, *masked, chain.structure)


@pytest.mark.parametrize("log_space", [False, True])
@pytest.mark.parametrize("by_step", [False, True])
@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("name", SCHEMES)
def test_equals_the_enumeration(name, constrained, by_step, log_space, monkeypatch):
    if log_space:
        monkeypatch.setattr(partition, "find_lowering", lambda chain: None)
    scheme = SCHEMES[name]
    tags = scheme.bind(scheme.tags(["A", "B"] if len(scheme.letters) < 4 else ["A"]))
    chain = random_chain(LENGTHS, len(tags.names), by_step=by_step)
    chain = constrain(chain, tags) if constrained else chain
    spans = all_spans(LENGTHS, len(tags.types))
    want = dict.fromkeys(spans, 0.0)
    for row, oracle in enumerate(oracles(chain)):
        for path, _ in oracle.ranked():
            for start, end, kind in tags.decode(np.array(path, dtype=np.int64)).tolist():
                want[row, start, end, kind] += oracle.probability(path)

    rows, starts, ends, types = torch.tensor(spans).unbind(1)
    segments = Segments(rows, starts, ends, torch.from_numpy(tags.members)[types])
    found = segment_log_probabilities(chain, segments, torch.from_numpy(tags.within))
    np.testing.assert_allclose(found.exp(), [want[span] for span in spans], atol=1e-10)


def test_no_spans():
    none = torch.zeros(0, dtype=torch.int64)
    segments = Segments(none, none, none, torch.zeros(0, 2, dtype=torch.int64))
    within = torch.zeros(3, 3, dtype=torch.bool)
    assert segment_log_probabilities(random_chain([2], 3), segments, within).shape == (0,)


def test_probabilities_of_a_long_document_are_exact_in_single_precision():
    # Absolute sums of 400 nodes would have lost the sixth digit.
    tags = SCHEMES["BIO"].bind(SCHEMES["BIO"].tags(["A", "B"]))
    double = constrain(random_chain([400], len(tags.names), scale=4.0), tags)
    single = Chain(*(score.float() for score in double.scores), Sequences.of([400]))
    members, within = torch.from_numpy(tags.members), torch.from_numpy(tags.within)
    rows, starts, ends, types = torch.tensor(all_spans([400], 2))[::97].unbind(1)
    segments = Segments(rows, starts, ends, members[types])
    want = segment_log_probabilities(double, segments, within).exp()
    found = segment_log_probabilities(single, segments, within).exp()
    torch.testing.assert_close(found.double(), want, atol=1e-5, rtol=1e-4)
    assert want.max() > 0.1
