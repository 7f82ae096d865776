"""Mercuric: MERCURY (Janfaza et al., HPCA 2023) for PyTorch, in software and in simulated hardware."""

__version__ = "0.1.0"
