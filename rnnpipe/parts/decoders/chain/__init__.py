"""Linear-chain distributions over label sequences: exact sums, maxima and samples."""
