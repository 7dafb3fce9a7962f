"""`python -m gateway`: the command `zen` where its script is not in the path."""

from gateway.cli import main

main()
