"""MLflow: the run tree, the batched logger, figures and comparison."""
