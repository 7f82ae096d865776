"""How many cycles does a product take on PEs that a bus feeds (paper IV, read literally)?"""
