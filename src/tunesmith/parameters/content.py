"""Content of a best-parameters file, which may be anybody's: it is read less strictly than ours."""

from pathlib import Path
from typing import Any

from tunesmith.config.source import parse_document
from tunesmith.errors import ConfigError
from tunesmith.formats import FormatError, format_of, toml, yaml

LENIENT = {"yaml": yaml.read, "toml": toml.read}


def content_of(text: str, path: Path) -> Any:
    """Parse the text of a file of parameters.

    A configuration may hold neither merge keys, nor numbers as keys, nor dates; the sections of a
    ``params.yaml`` beside that of the parameters may.

    Args:
        text: of the file.
        path: as errors name it; its suffix tells the format.

    Raises:
        UsageError: the name has another suffix.
        ConfigError: the text cannot be read.

    >>> content_of("names: {0: cat}\\ntrain: {depth: 3}\\n", Path("params.yaml"))["train"]
    {'depth': 3}
    """
    try:
        return parse_document(text, path).data
    except ConfigError as error:
        reader = LENIENT.get(format_of(path.name) or "")
        if reader is None:
            raise
        try:
            return reader(text)
        except FormatError:
            raise error from None
