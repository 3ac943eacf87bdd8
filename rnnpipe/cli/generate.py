"""``spacy rnn generate``: text from a language model."""

from __future__ import annotations

from typing import Any, cast

import typer
from spacy.tokens import Doc

from rnnpipe.cli.pipelines import language_model_reader
from rnnpipe.cli.text import typed
from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.registry import filters as registered_filters
from rnnpipe.contracts.types import UNKNOWN, SequenceGeneratorBuilder
from rnnpipe.errors import CorpusError, SettingsError, expected
from rnnpipe.instruments.reading import Reader

#: The prompt that stands for standard input.
_STDIN = "-"
#: How many unknown symbols an error names.
_NAMED = 5
#: What a shell reports of a program that Ctrl-C has ended.
_INTERRUPTED = 130


def generate(
    model: str,
    prompt: str,
    component: str | None,
    settings: dict[str, Any],
    filters: dict[str, dict[str, Any]],
    beam_size: int | None,
) -> None:
    """Print prompt and text.

    settings: of the sampler; ``None``: its default.
    filters: the settings of each filter by its name; ``None``: it does not apply.
    beam_size: search instead of drawing, for ``n_samples`` texts.

    RAISES: SettingsError if the pipeline, the prompt or a setting is not as it should be;
        CorpusError if standard input is not UTF-8, or the prompt not text.
    """
    reader = language_model_reader(model, component)
    if reader.backward:
        want = "a language model that reads forwards"
        got, do = "one over rnnpipe.Backward.v1", "What it writes would be back to front."
        raise SettingsError(expected(f"component {reader.pipe.name!r}", want, got, do))
    text = _standard_input() if prompt == _STDIN else typed(prompt, "--prompt")
    doc = _known(reader, "prompt", text)
    stop = [_phrase(reader, typed(phrase, "--stop")) for phrase in settings["stop"] or ()]
    decoder = _decoder(settings | {"stop": stop or None}, filters, beam_size)
    try:
        if beam_size is None and settings["n_samples"] == 1:
            _stream(reader, doc, decoder)
        else:
            _all_at_once(reader, doc, decoder)
    except KeyboardInterrupt:
        typer.echo()
        typer.secho("Interrupted.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _decoder(
    settings: dict[str, Any], filters: dict[str, dict[str, Any]], beam_size: int | None
) -> SequenceGeneratorBuilder:
    given = {name: value for name, value in settings.items() if value is not None}
    given["filters"] = {
        name: registered_filters.get(f"rnnpipe.{name}.v1")(**values)
        for name, values in filters.items()
        if None not in values.values()
    }
    name = "Sampler"
    if beam_size is not None:
        for option in ("temperature", "seed"):
            if option in given:
                do = "A beam search does not draw: leave out one of the two."
                want = "no value with --beam-size"
                raise SettingsError(expected(f"--{option}", want, given[option], do))
        name, n_best = "Beam", given.pop("n_samples")
        if 0 < beam_size < n_best:
            do = "Raise --beam-size or lower --n-samples."
            want = f"at most --beam-size ({beam_size})"
            raise SettingsError(expected("--n-samples", want, n_best, do))
        given |= {"beam_size": beam_size, "n_best": n_best}
    # From the registry, whose functions check what they are given.
    return cast(SequenceGeneratorBuilder, decoders.get(f"rnnpipe.{name}.v1")(**given))


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
    doc = reader.doc(text)
    symbols, owners = reader.pipe.symbols.read(doc), reader.pipe.symbols.owners(doc)
    unknown = dict.fromkeys(doc[int(i)].text for i in owners[symbols == UNKNOWN])
    if unknown:
        want = f"symbols that the language model {reader.pipe.name!r} has met in training"
        named = ", ".join(map(repr, list(unknown)[:_NAMED]))
        more = f" and {len(unknown) - _NAMED} others" if len(unknown) > _NAMED else ""
        do = "Take them out or write them in another way."
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
