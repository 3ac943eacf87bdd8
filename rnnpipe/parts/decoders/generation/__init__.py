"""Decoders that generate, and the filters of what they may choose from.

``rnnpipe.Sampler.v1``, ``rnnpipe.Beam.v1``, ``rnnpipe.DiverseBeam.v1``,
``rnnpipe.ConstrainedBeam.v1`` and ``rnnpipe.StochasticBeam.v1`` are registered decoders whose
builders are :class:`~rnnpipe.contracts.types.SequenceGeneratorBuilder` objects::

    generator = decoders.get("rnnpipe.Sampler.v1")(temperature=0.8, seed=1).generator(alphabet)
    texts = generator.generate(model, symbols, state)      # list[list[Generated]], a list a prompt
    for emission in generator.stream(model, symbols, state): ...   # the sampler: symbol by symbol

model: a :class:`~rnnpipe.contracts.types.NextSymbol`.
alphabet: an :class:`~rnnpipe.contracts.types.Alphabet`, by which phrases of settings become
    symbols.
symbols: ``(B,)`` int64, the last symbol of each prompt, or the one that begins a text; state: the
    model's before that symbol, ``None`` for ``model.begin(B)``.
"""
