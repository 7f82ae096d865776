"""Which network, with which weights, on which data?"""
