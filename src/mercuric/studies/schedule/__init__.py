"""Which way of training is the most accurate at equal seconds?"""
