"""Which directions does a trained network get?"""
