"""Which version is this?"""

__version__ = "0.7.0"
