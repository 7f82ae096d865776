"""What would other ways to skip work save at most?"""
