"""Records become documents, tokens, masks and batches."""
