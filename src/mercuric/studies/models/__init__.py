"""Which networks are there, and what does MERCURY do in their layers?"""
