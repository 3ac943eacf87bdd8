"""``spacy rnn generate``: text from a language model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from rnnpipe.cli.options import TEMPERATURE, Component, Pipeline
from rnnpipe.errors import CorpusError, SettingsError, expected

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from rnnpipe.contracts.types import SequenceGeneratorBuilder
    from rnnpipe.instruments.reading import Reader

#: The prompt that stands for standard input.
_STDIN = "-"
#: How many unknown symbols an error names.
_NAMED = 5
#: What a shell reports of a program that Ctrl-C has ended.
_INTERRUPTED = 130

_written = partial(typer.Option, rich_help_panel="Prompt and output")
_chosen = partial(typer.Option, rich_help_panel="Choice of symbols")
_ended = partial(typer.Option, rich_help_panel="End of the text")


def generate(
    model: Pipeline,
    prompt: Annotated[
        str,
        _written(
            "--prompt",
            "-p",
            help="Prompt to continue; '-' reads it from standard input, without its final newline",
        ),
    ] = "",
    n_samples: Annotated[
        int, _written(help="Number of texts; with --beam-size, of best texts")
    ] = 1,
    temperature: Annotated[
        float | None, _chosen("--temperature", "-t", help=TEMPERATURE.format("symbol"))
    ] = None,
    top_k: Annotated[
        int | None, _chosen(help="Number of most likely symbols to sample from (top-k sampling)")
    ] = None,
    top_p: Annotated[
        float | None,
        _chosen(
            help="Total probability of the most likely symbols to sample from (nucleus sampling)"
        ),
    ] = None,
    min_p: Annotated[
        float | None,
        _chosen(
            help="Minimum probability of a symbol, relative to the most likely one (min-p sampling)"
        ),
    ] = None,
    typical: Annotated[
        float | None,
        _chosen(
            help="Total probability of the most typical symbols to sample from (locally typical "
            "sampling)"
        ),
    ] = None,
    repetition_penalty: Annotated[
        float | None,
        _chosen(
            help="Repetition penalty: exponent, at least 1 (such as 1.2), on the probability of "
            "symbols that occur already; larger values make repetition less likely"
        ),
    ] = None,
    no_repeat: Annotated[
        int | None, _chosen(help="Length of the n-grams that may occur only once")
    ] = None,
    seed: Annotated[int | None, _chosen("--seed", "-s", help="Random seed")] = None,
    beam_size: Annotated[
        int | None,
        _chosen(help="Number of hypotheses of a beam search, which replaces sampling"),
    ] = None,
    max_length: Annotated[
        int | None, _ended("--max-length", "-n", help="Maximum number of symbols to write [500]")
    ] = None,
    min_length: Annotated[int | None, _ended(help="Minimum number of symbols to write")] = None,
    stop: Annotated[
        list[str] | None, _ended(help="Phrase that ends the text; can be given several times")
    ] = None,
    component: Component = None,
) -> None:
    """Generate text with a language model.

    A symbol is the unit the model was trained on: a character, a byte or a word. A single text is
    printed symbol by symbol; Ctrl-C stops it and keeps the text so far. Several texts, and
    those of a beam search, are printed when all are finished.

    Try: spacy rnn generate out/model-best --prompt "ROMEO:" --temperature 0.8 --top-p 0.95
    """
    from rnnpipe.cli.pipelines import language_model_reader
    from rnnpipe.cli.text import typed

    reader = language_model_reader(model, component)
    if reader.backward:
        want = "a language model that reads forwards"
        got, do = "one over rnnpipe.Backward.v1", "Its text would be reversed."
        raise SettingsError(expected(f"component {reader.pipe.name!r}", want, got, do))
    doc = _known(
        reader, "prompt", _standard_input() if prompt == _STDIN else typed(prompt, "--prompt")
    )
    settings = {
        "n_samples": n_samples,
        "temperature": temperature,
        "seed": seed,
        "max_length": max_length,
        "min_length": min_length,
        "stop": [_phrase(reader, typed(phrase, "--stop")) for phrase in stop or ()] or None,
    }
    chosen: dict[str, dict[str, float | None]] = {
        "RepetitionPenalty": {"penalty": repetition_penalty},
        "NoRepeat": {"n": no_repeat},
        "TopK": {"k": top_k},
        "TopP": {"p": top_p},
        "MinP": {"p": min_p},
        "Typical": {"p": typical},
    }
    decoder = _decoder(settings, chosen, beam_size)
    try:
        if beam_size is None and n_samples == 1:
            _stream(reader, doc, decoder)
        else:
            _all_at_once(reader, doc, decoder)
    except KeyboardInterrupt:
        typer.echo()
        typer.secho("Interrupted.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _decoder(
    settings: dict[str, Any], chosen: dict[str, dict[str, float | None]], beam_size: int | None
) -> SequenceGeneratorBuilder:
    """Return a sampler, or a beam search. ``None``: a default, or a filter that does not apply."""
    from rnnpipe.contracts.registry import decoders, filters

    given = {name: value for name, value in settings.items() if value is not None}
    given["filters"] = {
        name: filters.get(f"rnnpipe.{name}.v1")(**values)
        for name, values in chosen.items()
        if None not in values.values()
    }
    name = "Sampler"
    if beam_size is not None:
        for option in ("temperature", "seed"):
            if option in given:
                do = "A beam search does not sample: omit one of the two."
                want = "no value with --beam-size"
                raise SettingsError(expected(f"--{option}", want, given[option], do))
        name, n_best = "Beam", given.pop("n_samples")
        if 0 < beam_size < n_best:
            do = "Raise --beam-size or lower --n-samples."
            want = f"at most --beam-size ({beam_size})"
            raise SettingsError(expected("--n-samples", want, n_best, do))
        given |= {"beam_size": beam_size, "n_best": n_best}
    # From the registry, whose functions check what they are given.
    return cast("SequenceGeneratorBuilder", decoders.get(f"rnnpipe.{name}.v1")(**given))


def _standard_input() -> str:
    raw = typer.get_binary_stream("stdin").read()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        where, byte = f"standard input, byte {error.start}", f"0x{raw[error.start]:02x}"
        do = "Convert the prompt to UTF-8."
        raise CorpusError(expected(where, "text in utf-8", byte, do)) from None
    return text.removesuffix("\n")


def _phrase(reader: Reader, text: str) -> list[int]:
    """The symbols of a text that is read as a prompt is."""
    symbols: list[int] = reader.pipe.symbols.read(_known(reader, "--stop", text)).tolist()
    return symbols


def _known(reader: Reader, where: str, text: str) -> Doc:
    """Raises SettingsError for a text with symbols that the model has never seen."""
    from rnnpipe.contracts.types import UNKNOWN

    doc = reader.doc(text)
    symbols, owners = reader.pipe.symbols.read(doc), reader.pipe.symbols.owners(doc)
    unknown = dict.fromkeys(doc[int(i)].text for i in owners[symbols == UNKNOWN])
    if unknown:
        want = f"symbols that the language model {reader.pipe.name!r} saw in training"
        named = ", ".join(map(repr, list(unknown)[:_NAMED]))
        more = f" and {len(unknown) - _NAMED} others" if len(unknown) > _NAMED else ""
        do = "Remove or replace them."
        raise SettingsError(f"{where}: expected {want}, got {named}{more}. {do}")
    return doc


def _stream(reader: Reader, doc: Doc, decoder: SequenceGeneratorBuilder) -> None:
    pieces = reader.pipe.stream(doc, decoder)
    typer.secho(doc.text, bold=True, nl=False)
    for piece in pieces:
        typer.echo(piece, nl=False)
    typer.echo()


def _all_at_once(reader: Reader, doc: Doc, decoder: SequenceGeneratorBuilder) -> None:
    texts = reader.pipe.generations(doc, decoder)
    writer = reader.pipe.writer
    for number, text in enumerate(texts, start=1):
        mean = text.log_probability / max(1, len(text.log_probabilities))
        typer.secho(f"--- {number}/{len(texts)}: {mean:.3f} nats per symbol ---", dim=True)
        typer.secho(doc.text, bold=True, nl=False)
        typer.echo(writer.write(text.symbols, doc))
