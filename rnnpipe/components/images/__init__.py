"""``rnn_image`` and the architecture of its model."""
