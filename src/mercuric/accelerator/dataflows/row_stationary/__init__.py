"""How many cycles does a layer take on a row-stationary array (Eyeriss)?"""
