"""`python -m registry` is `polreg`."""

from registry.cli import main

main()
