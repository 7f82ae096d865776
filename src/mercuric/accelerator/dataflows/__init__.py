"""How many cycles does a layer take on an array?"""
