"""What does a network learn of an Atari game, and in how many seconds?"""
