"""How fast is this machine with reuse?"""
