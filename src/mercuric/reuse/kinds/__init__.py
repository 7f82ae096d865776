"""One folder a kind of layers, and its line in :mod:`mercuric.reuse.layer_kinds`."""
