"""What do other simulators say of the same layers?"""
