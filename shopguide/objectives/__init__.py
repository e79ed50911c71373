"""What a model is trained to do, as LightningModules: masked LM, causal LM, classification."""
