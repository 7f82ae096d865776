"""Is MERCURY's hardware there?"""
