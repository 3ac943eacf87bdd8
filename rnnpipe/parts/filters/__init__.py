"""What a sampler may choose from: what may come next, and how likely, given the symbols so far.

A registered function returns a builder that is given the alphabet later; what that returns maps
log-probabilities ``(..., V)`` and history ``(..., t)`` to log-probabilities, -inf where a symbol is
excluded (:class:`rnnpipe.contracts.types.Filter`).
"""
