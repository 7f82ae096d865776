"""What do layers' calls add up to?"""
