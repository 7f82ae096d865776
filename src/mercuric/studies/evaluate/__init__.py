"""What do a network's layers cost in energy, time and area?"""
