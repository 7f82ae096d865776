"""Where do networks come from? A file a place; ``registry.py`` has all of them."""
