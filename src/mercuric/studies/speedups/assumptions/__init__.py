"""Under which of the assumptions that the paper's text leaves open do its three means follow?"""
