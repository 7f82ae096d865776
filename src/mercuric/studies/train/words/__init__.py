"""What is said of each method?"""
