"""How much error buys how much time?"""
