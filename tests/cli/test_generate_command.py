"""``spacy rnn generate``"""

import os
import re
import sys

import pytest
import spacy
from helpers.commands import fails, works

from rnnpipe.cli import app
from rnnpipe.components.language.rnn_lm import RnnLanguageModel

TOP = ["--top-k", 3, "--top-p", 0.9, "--min-p", 0.01, "--typical", 0.9]


def component(models, name="characters"):
    return spacy.load(models / name).get_pipe("lm")


def test_the_text_is_that_of_the_component(models):
    want = component(models).generate("the ", temperature=0.8, seed=3, max_length=40)
    options = ["-p", "the ", "-t", 0.8, "--seed", 3, "-n", 40]
    assert works("generate", models / "characters", *options) == f"the {want}\n"


def test_it_comes_symbol_by_symbol_until_ctrl_c(models, monkeypatch, capfd, ctrl_c):
    drawn, pieces, arrived = RnnLanguageModel.stream, [], []
    out, into = os.pipe()  # what is printed is held back unless it is flushed

    def stream(self, *arguments, **settings):
        for piece in drawn(self, *arguments, **settings):
            pieces.append(piece)
            yield piece
            arrived.append(os.read(out, 100).decode())
            if len(pieces) == 5:
                ctrl_c()

    monkeypatch.setattr(RnnLanguageModel, "stream", stream)
    with open(into, "w", encoding="utf-8") as stdout, open(out, "rb", buffering=0) as rest:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as left:
            app(["generate", str(models / "characters"), "--prompt", "a ", "--seed", "0"])
        assert rest.read(100) == b"\n"
    assert left.value.code == 130
    assert len(pieces) == 5
    assert "".join(arrived) == f"a {''.join(pieces)}"
    assert capfd.readouterr().err == "Interrupted.\n"


def test_filters_lengths_and_stops(models):
    text = works("generate", models / "characters", "-p", "the ", *TOP, "--stop", "\n", "-s", 1)
    assert text.endswith("\n\n")
    assert len(works("generate", models / "ends", "--min-length", 30, "-n", 30, "-s", 1)) == 31
    greedy = works("generate", models / "characters", "-p", "the ", "--top-k", 1, "-n", 20)
    assert greedy == works("generate", models / "characters", "-p", "the ", "-t", 0, "-n", 20)
    free = works(
        *("generate", models / "characters", "-p", "the ", "-t", 0, "-n", 60),
        *("--no-repeat", 3, "--repetition-penalty", 1.2),
    ).rstrip("\n")[4:]
    grams = [free[i : i + 3] for i in range(len(free) - 2)]
    assert len(grams) == len(set(grams)) > 10


def test_several_texts(models):
    texts = component(models).generations("the ", n_samples=2, seed=3, max_length=9)
    lm = component(models)
    want = "".join(
        f"--- {i}/2: {text.log_probability / 9:.3f} nats per symbol ---\n"
        f"the {lm.writer.write(text.symbols, 'the ')}\n"
        for i, text in enumerate(texts, start=1)
    )
    options = ["-p", "the ", "--n-samples", 2, "--seed", 3, "-n", 9]
    assert works("generate", models / "characters", *options) == want


def test_a_beam_finds_the_likeliest(models):
    options = ["-p", "the ", "-n", 8]
    text = works("generate", models / "characters", *options, "--beam-size", 4, "--n-samples", 3)
    means = [float(x) for x in re.findall(r"\d/3: (\S+) nats per symbol", text)]
    assert len(means) == 3
    assert means == sorted(means, reverse=True)
    greedy = component(models).generations("the ", temperature=0, max_length=8)[0]
    assert means[0] >= greedy.log_probability / 8 - 1e-3


def test_words_are_tokenized_by_the_pipeline(models):
    prompt = "the rose is red, the"
    text = works("generate", models / "words", "--prompt", prompt, "-t", 0, "-n", 3)
    assert text.startswith("the rose is red, the ")


def test_the_prompt_from_standard_input(models):
    options = ["--prompt", "-", "-t", 0, "-n", 5]
    want = works("generate", models / "characters", "-p", "the rose\n", "-t", 0, "-n", 5)
    assert works("generate", models / "characters", *options, input="the rose\n\n") == want
    assert fails("generate", models / "characters", *options, input=b"rose \xe9") == (
        "Error: standard input, byte 5: expected text in utf-8, got '0xe9'. "
        "Convert the prompt to UTF-8."
    )


def test_an_empty_prompt_and_a_long_one(models):
    assert works("generate", models / "characters", "-n", 5, "--seed", 0)
    long = "the rose is red, " * 50
    assert works("generate", models / "characters", "-p", long, "-n", 5).startswith(long)


def test_unknown_symbols_in_the_prompt(models):
    assert fails("generate", models / "characters", "-p", "Zoé? 1 2 3 4") == (
        "Error: prompt: expected symbols that the language model 'lm' saw in training, got "
        "'Z', 'é', '?', '1', '2' and 2 others. "
        "Remove or replace them."
    )
    assert "got 'green', 'roses'. Remove" in fails(
        "generate", models / "words", "-p", "the green, green roses"
    )


def test_phrases_that_stop_are_tokenized_by_the_pipeline(models):
    options = ["generate", models / "words", "-p", "the", "-t", 0, "-n", 20]
    assert works(*options, "--stop", "is.").endswith(" is .\n")
    assert fails(*options, "--stop", "red; green") == (
        "Error: --stop: expected symbols that the language model 'lm' saw in training, got "
        "';', 'green'. Remove or replace them."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-t", -1], "rnnpipe.Sampler.v1.temperature: expected a number of at least 0, got -1"),
        (["--top-p", 1.5], "rnnpipe.TopP.v1.p"),
        (["--top-k", 10_000], "rnnpipe.TopK.v1.k: expected at most the number of symbols"),
        (["--n-samples", 0], "n_samples: expected an integer greater than 0, got 0"),
        (["--min-length", 9, "-n", 3], "min_length"),
        (["--beam-size", 10_000], "rnnpipe.Beam.v1.beam_size: expected at most the number of sym"),
        (
            ["--beam-size", 2, "-t", 0.5],
            "--beam-size, got 0.5. A beam search does not sample: omit one of the two.",
        ),
        (
            ["--beam-size", 2, "--n-samples", 3],
            "Error: --n-samples: expected at most --beam-size (2), got 3. Raise --beam",
        ),
        (["-p", "a\udcff"], "Error: --prompt: expected text, got '\\udcff'. Convert it to the enc"),
        (["--beam-size", 2, "--seed", 5], "Error: --seed: expected no value with --beam-size"),
    ],
)
def test_settings_that_are_wrong(models, options, message):
    assert message in fails("generate", models / "characters", *options)


def test_there_is_no_such_pipeline(tmp_path):
    want = "expected the folder of a trained pipeline, or the name of an installed one"
    assert fails("generate", tmp_path / "gone") == (
        f"Error: MODEL: {want}, got '{tmp_path / 'gone'}'. Train one with "
        "'spacy train config.cfg --output FOLDER', or correct the path."
    )
    assert fails("generate", "en_not_installed").startswith(f"Error: MODEL: {want}, got 'en_not")
    for name in ("model-last", "model-best"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "meta.json").touch()
    inside = f"{tmp_path / 'model-best'}, {tmp_path / 'model-last'}"
    assert fails("generate", tmp_path).endswith(f"Choose a pipeline in it: {inside}.")


def test_there_is_no_language_model_in_it(models):
    assert fails("generate", models / "cat") == (
        "Error: pipeline en_pipeline: expected one language model (rnn_lm), got no such "
        "component (available: cat (rnn_textcat)). Choose another pipeline."
    )
    assert "no such component (available: none)." in fails("generate", models / "blank")


def test_a_model_that_reads_from_the_end(models):
    assert fails("generate", models / "backward") == (
        "Error: component 'lm': expected a language model that reads forwards, got "
        "'one over rnnpipe.Backward.v1'. Its text would be reversed."
    )


def test_one_language_model_of_two(models):
    want = "Error: pipeline en_pipeline: expected one language model (rnn_lm), got "
    do = ". Choose with --component: lm, other."
    assert fails("generate", models / "two") == f"{want}['lm', 'other']{do}"
    assert fails("generate", models / "two", "--component", "x") == f"{want}'x'{do}"
    options = ["--component", "other", "-p", "the rose", "-n", 2]
    assert works("generate", models / "two", *options).startswith("the rose ")


def test_the_help_teaches():
    text = works("generate", "--help", env={"COLUMNS": "120"})
    for part in ("Generate text with a language model", "Choice of symbols", "--top-p", "Ctrl-C"):
        assert part in text


def test_the_help_says_what_a_penalty_does():
    text = " ".join(works("generate", "--help", env={"COLUMNS": "250"}).split())
    assert "symbols that occur already; larger values make repetition less likely" in text
