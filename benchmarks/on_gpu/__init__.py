"""What ``benchmarks/gpu.py`` times, a part a file."""
