"""The last layer of a model of images: from states to the probability of every level of a pixel."""
