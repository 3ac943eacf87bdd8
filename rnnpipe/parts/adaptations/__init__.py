"""How a language model may follow a document while it is scored. Its weights stay as they are."""
