"""Which regions of an image are computed once with exact reuse?"""
