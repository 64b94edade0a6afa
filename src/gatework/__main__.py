"""`python -m gatework`, as torchrun starts it."""

from gatework.cli import main

if __name__ == "__main__":
    main()
