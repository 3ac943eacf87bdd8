"""``rnn_lm``, the architecture of its model, and the embedding that reads a trained one."""
