"""What does each layer of a network do on real inputs?"""
