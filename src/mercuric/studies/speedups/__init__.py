"""How much faster is each network's training with MERCURY?"""
