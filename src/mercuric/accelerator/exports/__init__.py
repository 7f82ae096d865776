"""How do other simulators get the products of a training step?"""
