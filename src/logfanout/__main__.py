"""Where does the process begin?

logfanout …, python -m logfanout … ──► main ──► cli
"""

from logfanout.cli import app


def main() -> None:
    """Do what the command line says, and exit."""
    app(prog_name="logfanout")


if __name__ == "__main__":
    main()
