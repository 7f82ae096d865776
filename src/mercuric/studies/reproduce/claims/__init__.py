"""Which claims are there? A package each: ``claim.yaml``, and what reads the folders of its runs."""
