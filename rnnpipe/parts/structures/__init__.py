"""How a document is read as a sequence, a tree, a graph or an image."""
