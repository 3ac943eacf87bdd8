"""Networks that label: embedding, encoder, pooler, decoder, and the batches they read."""
