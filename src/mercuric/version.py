"""Which version is this?"""

__version__ = "0.6.0"
