"""How else is a trained network made faster, without training it again?"""
