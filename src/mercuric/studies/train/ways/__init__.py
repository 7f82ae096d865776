"""How is a network trained by each method, and what comes out of it?"""
