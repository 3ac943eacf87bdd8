"""Decoders that generate, and the filters of what they may choose from.

``rnnpipe.Sampler.v1`` is a registered decoder whose builder is a
:class:`~rnnpipe.types.SequenceGeneratorBuilder`::

    generator = decoders.get("rnnpipe.Sampler.v1")(temperature=0.8, seed=1).generator(alphabet)
    texts = generator.generate(model, symbols, state)      # list[list[Generated]], a list a prompt
    for emission in generator.stream(model, symbols, state): ...   # symbol by symbol

model: a :class:`~rnnpipe.types.NextSymbol`.
alphabet: an :class:`~rnnpipe.types.Alphabet`, by which phrases of settings become symbols.
symbols: ``(B,)`` int64, the last symbol of each prompt, or the one that begins a text; state: the
    model's before that symbol, ``None`` for ``model.begin(B)``.
"""
