"""How does a network compute equal vectors once?"""
