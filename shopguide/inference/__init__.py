"""A trained model, saved, loaded and answering in batches."""
