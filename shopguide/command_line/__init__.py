"""What a user types, as checked settings: the one place that knows Hydra, which composes and sweeps."""
