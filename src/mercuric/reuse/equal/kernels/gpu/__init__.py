"""Classes on a GPU, in Triton: import what is below only where Triton is installed."""
