"""The networks: any backbone that transformers loads, with the head that an objective needs."""
