"""Speed and memory beside the scripts that people use: each benchmark prints a table, and one JSON line last."""
