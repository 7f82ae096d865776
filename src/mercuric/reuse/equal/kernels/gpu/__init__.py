"""Classes and convolutions on a GPU, in Triton: import kernels only where ``device.py`` finds it."""
