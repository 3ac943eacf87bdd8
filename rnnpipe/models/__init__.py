"""Networks composed of parts, as torch modules. They depend on neither spaCy nor thinc."""
