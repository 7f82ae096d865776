"""MERCURY: alike vectors are computed once (paper III)."""
