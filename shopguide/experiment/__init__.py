"""The phases of one experiment in plain Python: what the train command and a notebook both call."""
