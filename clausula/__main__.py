"""``python -m clausula``: the command line."""

from clausula.cli import main

if __name__ == "__main__":
    main()
