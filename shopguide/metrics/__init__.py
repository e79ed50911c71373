"""What the field counts, each equal to a reference."""
