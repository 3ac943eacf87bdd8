"""Networks put together from parts, as torch modules. None of them knows spaCy or thinc."""
