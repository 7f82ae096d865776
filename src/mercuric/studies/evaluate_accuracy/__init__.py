"""How often is a trained network right with reuse, and how often without?"""
