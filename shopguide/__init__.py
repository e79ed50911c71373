"""shopguide: turn a pretrained language model into one that understands shoppers, with every experiment tracked."""

__version__ = "0.1.0"
