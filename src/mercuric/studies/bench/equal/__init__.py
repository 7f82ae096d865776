"""What does exact reuse gain on this machine, on which networks and data?"""
