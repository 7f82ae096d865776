"""Does a network learn less with MERCURY, and what does that save?"""
