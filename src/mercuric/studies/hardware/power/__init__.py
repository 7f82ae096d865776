"""How much more power does MERCURY take, and does that say what the paper says?"""
