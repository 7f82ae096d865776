"""What does each choice of hardware cost?"""
