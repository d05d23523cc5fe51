"""Run the command line as ``python -m zspace``."""

from zspace.cli import main

if __name__ == "__main__":
    main()
