"""How are Hitmaps kept in files?"""
