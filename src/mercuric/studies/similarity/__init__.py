"""How much similarity is there in a network on real images?"""
