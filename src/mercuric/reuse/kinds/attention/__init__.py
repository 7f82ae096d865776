"""How does attention compute by a method? (paper III-C4)"""
