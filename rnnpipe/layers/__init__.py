"""What layers are made of: initialisation, dropout, precision, masked convolutions, compilation."""
