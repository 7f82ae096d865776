"""How does a layer compute the principal part of its outputs, and reuse the rest?"""
