"""What a shop knows: its records, read, checked, split, as memory-mapped Arrow tables."""
