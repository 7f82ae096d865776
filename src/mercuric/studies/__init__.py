"""What does the paper claim, and what do we get? One folder a study."""
