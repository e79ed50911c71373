"""The models at work on a catalogue: understand, search, recommend, answer, reply."""
