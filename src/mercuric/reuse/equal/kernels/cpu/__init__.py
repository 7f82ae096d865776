"""How does a processor find classes, and compute on a row a class? Compiled by Numba."""
