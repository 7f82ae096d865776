"""How many cycles does a product take on a systolic array?"""
