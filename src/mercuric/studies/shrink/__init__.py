"""Which narrower networks are worth their accuracy?"""
