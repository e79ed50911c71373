"""The guide's tasks: one file each, its labelled examples and label space."""
