"""`python -m sixteen` is `sixteen`."""

from sixteen.cli import main

main()
