"""How many cycles does a network, a topology or a file of Hitmaps take?"""
