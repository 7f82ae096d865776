"""What does ``python -m mercuric`` run? The command line."""

from mercuric.cli import main

main()
