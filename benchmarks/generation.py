"""New text from a language model, as ratios to plain ways of doing it, in one interleaved run.

    python benchmarks/generation.py [--rounds 9] [--loops 128x1x1000] [--beams 128x200]

One thread, float32, CPU time, an untrained LSTM of two layers over 65 symbols. Each round runs the
peer and ours one after the other; the table shows the median over the rounds of the round's ratio.

--loops: width, number of texts and symbols per text. --beams: width and symbols. --steps: symbols
    per text beside Hugging Face.

loop: embedding, nn.LSTM, linear layer, softmax, multinomial, symbol by symbol, against
    ``generations`` of the component rnn_lm.
greedy: a beam of eight hypotheses, and how many times as long as greedy search it takes.
Hugging Face: ``generate`` with a GPT-2 of two layers of width 128, and with a model that costs
    nothing, against our decoders with a model that costs nothing. Left out where transformers is
    not installed.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from itertools import product
from typing import Any

import spacy
import torch
from options import has_peer, parser_for
from spacy.training import Example
from torch import Tensor, nn

from rnnpipe.components.language.rnn_lm import RnnLanguageModel
from rnnpipe.contracts.registry import decoders

N_SYMBOLS = 65
LOOPS = ((128, 1, 1000), (512, 1, 100), (128, 64, 100))
BEAMS = ((128, 200), (512, 200))
TARGETS = {"loop 128": 7.0, "loop 512": 15.0, "loop 128 x 64": 1.5, "beam": 3.0, "toy": 20.0}


def component(width: int) -> RnnLanguageModel:
    nlp = spacy.blank("en")
    encoder = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": width, "depth": 2}
    model = {
        "@architectures": "rnnpipe.LanguageModel.v1",
        "symbols": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "encoder": encoder,
        "width": width,
    }
    pipe = nlp.add_pipe("rnn_lm", config={"model": model, "end_symbol": False})
    doc = nlp.make_doc("".join(map(chr, range(33, 33 + N_SYMBOLS - 2))))
    nlp.initialize(lambda: [Example(doc, doc)])
    assert isinstance(pipe, RnnLanguageModel) and len(pipe.symbols) == N_SYMBOLS
    return pipe


class Loop(nn.Module):
    """The same network, and how one would have it write."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_SYMBOLS, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, batch_first=True)
        self.output = nn.Linear(width, N_SYMBOLS)

    @torch.no_grad()
    def generate(self, n_texts: int, length: int) -> Tensor:
        symbols, state, texts = torch.zeros(n_texts, 1, dtype=torch.int64), None, []
        for _ in range(length):
            states, state = self.lstm(self.embedding(symbols), state)
            symbols = torch.multinomial(self.output(states[:, -1]).softmax(-1), 1)
            texts.append(symbols)
        return torch.cat(texts, dim=1)


class Fixed:
    """A :class:`rnnpipe.contracts.types.NextSymbol` that costs nothing."""

    def __init__(self) -> None:
        self.logits = torch.randn(1, N_SYMBOLS)

    def begin(self, batch_size: int) -> None:
        return None

    def advance(self, symbols: Tensor, state: None) -> tuple[Tensor, None]:
        return self.logits.expand(len(symbols), -1), None

    def reorder(self, state: None, rows: Tensor) -> None:
        return None


class Numbers:
    """A :class:`rnnpipe.contracts.types.Alphabet` without an end."""

    size = N_SYMBOLS
    end = None

    def encode(self, text: str) -> list[int]:
        raise AssertionError(text)


def fixed_for_hugging_face() -> Any:
    """A model of transformers that costs nothing."""
    from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import CausalLMOutput

    class Config(PretrainedConfig):  # type: ignore[misc]
        model_type = "fixed"

    class Model(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
        config_class = Config

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.logits = nn.Parameter(torch.randn(N_SYMBOLS))
            self.post_init()

        def forward(self, input_ids: Tensor, **_: Any) -> Any:
            return CausalLMOutput(logits=self.logits.expand(*input_ids.shape[:1], 1, -1))

        def prepare_inputs_for_generation(self, input_ids: Tensor, **_: Any) -> dict[str, Tensor]:
            return {"input_ids": input_ids[:, -1:]}

    return Model(Config(vocab_size=N_SYMBOLS)).eval()


def seconds(function: Callable[[], object]) -> float:
    begin = time.process_time()
    function()
    return time.process_time() - begin


def toy_gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"n_embd": 128, "n_layer": 2, "n_head": 4, "n_positions": 256}
    return GPT2LMHeadModel(GPT2Config(vocab_size=N_SYMBOLS, eos_token_id=None, **sizes)).eval()


def compare(
    name: str,
    target: float | None,
    rounds: int,
    peer: Callable[[], object],
    ours: Callable[[], object],
    n: int,
) -> None:
    """n: steps a call. Prints peer time / our time; for the beam, which is to take no more than a
    multiple of the peer's time, the inverse."""
    peer(), ours()
    times = [(seconds(peer), seconds(ours)) for _ in range(rounds)]
    a, b = (statistics.median(column) / n * 1e6 for column in zip(*times, strict=True))
    slower = name.startswith("beam")
    ratio = statistics.median(y / x if slower else x / y for x, y in times)
    verdict = ""
    if target is not None:
        met = ratio <= target if slower else ratio >= target
        verdict = f" (at {'most' if slower else 'least'} {target}x){'' if met else '  MISSED'}"
    print(f"{name:<44} {a:9.1f} {b:9.1f} us a step {ratio:7.2f}x{verdict}")


def measure_loops(loops: list[tuple[int, int, int]], rounds: int) -> None:
    for width, n_texts, n in loops:
        pipe, loop = component(width), Loop(width)
        name = f"loop {width}" + (f" x {n_texts}" if n_texts > 1 else "")
        compare(
            f"{name}: width, texts" if n_texts > 1 else f"{name}: width, one text",
            TARGETS.get(name),
            rounds,
            lambda: loop.generate(n_texts, n),  # noqa: B023 - called in this turn
            lambda: pipe.generations(n_samples=n_texts, max_length=n, seed=0),  # noqa: B023
            n,
        )


def measure_beams(beams: list[tuple[int, int]], rounds: int) -> None:
    for width, n in beams:
        pipe = component(width)
        search = decoders.get("rnnpipe.Beam.v1")(beam_size=8, max_length=n)
        compare(
            f"beam of 8 against greedy, width {width}",
            TARGETS["beam"],
            rounds,
            lambda: pipe.generations(temperature=0, max_length=n),  # noqa: B023
            lambda: pipe.generations(decoder=search),  # noqa: B023
            n,
        )


def measure_overhead(n: int, rounds: int) -> None:
    if not has_peer("transformers", "transformers"):
        return
    print("transformers", version("transformers"))
    start = torch.zeros(1, 1, dtype=torch.int64)
    peers = {"toy GPT-2": (toy_gpt2(), True), "no model": (fixed_for_hugging_face(), False)}
    cases = {
        "sampling": ({"do_sample": True, "top_k": 0}, "Sampler", {"seed": 0}),
        "greedy": ({}, "Sampler", {"temperature": 0.0}),
        "beam of 8": ({"num_beams": 8}, "Beam", {"beam_size": 8}),
    }
    for (peer, (model, caches)), (name, case) in product(peers.items(), cases.items()):
        theirs, decoder, settings = case
        builder = decoders.get(f"rnnpipe.{decoder}.v1")(max_length=n, **settings)
        ours, asked = builder.generator(Numbers()), {"max_new_tokens": n, "use_cache": caches}
        compare(
            f"Hugging Face, {peer}, {name}",
            TARGETS["toy"] if caches else None,
            rounds,
            lambda: model.generate(start, **theirs, **asked),  # noqa: B023
            lambda: ours.generate(Fixed(), start[0]),  # noqa: B023
            n,
        )


def main() -> None:
    options = parser_for(__doc__, rounds=9, loops=LOOPS, beams=BEAMS, steps=200).parse_args()
    torch.set_num_threads(1)
    numba = version("numba") if find_spec("numba") else "not installed"
    print(f"Python {platform.python_version()}, torch {torch.__version__}, numba {numba}")
    print(f"median of {options.rounds} rounds: peer, ours, ratio")
    measure_loops(options.loops, options.rounds)
    measure_beams(options.beams, options.rounds)
    measure_overhead(options.steps, options.rounds)


if __name__ == "__main__":
    main()
