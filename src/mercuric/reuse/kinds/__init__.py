"""Which kinds of layers compute by a method? One folder a kind, named by a line of :mod:`mercuric.reuse.layer_kinds`."""
