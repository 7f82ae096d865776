"""Which layers are on, and with how many bits?"""
