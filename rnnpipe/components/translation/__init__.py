"""``rnn_seq2seq`` and the architectures of its models."""
