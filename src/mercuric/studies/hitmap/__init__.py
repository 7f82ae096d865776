"""How is every layer's Hitmap had as a file?"""
