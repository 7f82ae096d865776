"""What does MERCURY cost in accuracy, network by network?"""
