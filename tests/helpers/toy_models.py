"""Models and alphabets small enough to enumerate every text, and the enumeration."""

from dataclasses import dataclass

import torch

from rnnpipe.parts.decoders.generation.phrases import Endings, Limits


@dataclass
class Letters:
    """The first letters of the alphabet; the last may end a text."""

    size: int = 4
    ends: bool = True

    @property
    def end(self):
        return self.size - 1 if self.ends else None

    def encode(self, text):
        return [ord(letter) - ord("a") for letter in text]


class Markov:
    """The next symbol depends on the last two and on whether an even number came before.

    The state is nested, as a stack of layers has it, and useless unless all of it is reordered.
    """

    def __init__(self, size, seed=0, sharpness=1.0):
        generator = torch.Generator().manual_seed(seed)
        table = torch.randn(2, size, size, size, generator=generator, dtype=torch.float64)
        self.table = (sharpness * table).log_softmax(-1)
        self.advanced = []

    def begin(self, batch_size):
        zeros = torch.zeros(batch_size, dtype=torch.int64)
        return (zeros, (zeros, zeros))

    def advance(self, symbols, state):
        self.advanced.append(len(symbols))
        before, (count, checked) = state
        assert torch.equal(checked, before + count)
        table = self.table[count % 2, before, symbols]
        # Logits: the constant must not matter.
        return table + count.unsqueeze(1), (symbols, (count + 1, symbols + count + 1))

    def reorder(self, state, rows):
        before, (count, checked) = state
        return before[rows], (count[rows], checked[rows])


def next_log_probabilities(model, start, text):
    """``(V,)`` after a text, all of it read anew."""
    state = model.begin(1)
    for symbol in [start, *text]:
        logits, state = model.advance(torch.tensor([symbol]), state)
    return logits[0].log_softmax(-1)


def enumerate_texts(
    model, start, alphabet, max_length, min_length=0, stop=(), temperature=1.0, filters=()
):
    """Every text with its log-probabilities, the model's and that of being drawn; the end symbol is
    part of it."""
    endings = Endings.of(alphabet, Limits(min_length, max_length, list(stop)), "test")
    texts, open_texts = {}, [((), 0.0, 0.0)]
    while open_texts:
        text, log_p, log_q = open_texts.pop()
        log_model = next_log_probabilities(model, start, text)
        changed = log_model.clone() / temperature
        if len(text) < min_length and alphabet.end is not None:
            changed[alphabet.end] = -torch.inf
        for keep in filters:
            changed = keep(changed, torch.tensor(text, dtype=torch.int64))
        changed = changed.log_softmax(-1)
        for symbol in range(alphabet.size):
            if changed[symbol] > -torch.inf:
                longer = (*text, symbol)
                entry = log_p + float(log_model[symbol]), log_q + float(changed[symbol])
                if endings.of_text(list(longer)):
                    texts[longer] = entry
                else:
                    open_texts.append((longer, *entry))
    return texts


def as_text(generated, alphabet):
    """The symbols, the end symbol included."""
    return (*generated.symbols, *([alphabet.end] if generated.ended == "end" else []))
