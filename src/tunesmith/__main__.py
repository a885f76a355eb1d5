"""The command ``tunesmith``, and ``python -m tunesmith``: setup before the first import."""

from tunesmith.system import shadows


def main() -> None:
    """Run the command line, undisturbed by files of the project and in order when interrupted."""
    shadows.keep_out_start()
    from tunesmith.system.interruptions import listen

    listen()
    from tunesmith.cli import main as run

    run()


if __name__ == "__main__":
    main()
