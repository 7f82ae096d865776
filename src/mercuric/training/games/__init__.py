"""How does a network learn to play a game?"""
