"""What do alike vectors share of what directions leave out?"""
