"""The command ``tunesmith``, and ``python -m tunesmith``: setup before the first import."""

from tunesmith.system import shadows


def main() -> None:
    """Run the command line, undisturbed by files of the project and in order when interrupted."""
    # Before any other import: a `queue.py` of the project would be found in place of Python's.
    shadows.keep_out_start()
    from tunesmith.system import quick_imports
    from tunesmith.system.interruptions import listen

    quick_imports.is_command = True
    quick_imports.end_quickly()
    # Before the command line is imported: that takes long enough for a Ctrl-C.
    listen()
    from tunesmith.cli import main as run

    run()


if __name__ == "__main__":
    main()
