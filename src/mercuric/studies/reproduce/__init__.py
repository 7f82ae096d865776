"""Do the claims of the paper, and of those who followed it, hold?"""
