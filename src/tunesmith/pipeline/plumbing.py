"""Commands of Git in one repository, with their output as text or bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.system import faults, git
from tunesmith.system.git import TIMEOUT_S, GitError

# Otherwise a file named `[a].csv` would mean `a.csv`.
LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}


@dataclass(frozen=True)
class Plumbing:
    """Calls of Git in one folder."""

    root: Path
    """Folder of the calls."""

    def _try(self, *arguments: str, strip: bool = True) -> str | None:
        try:
            return self._run(*arguments, strip=strip)
        except GitError:
            return None

    def _run(
        self,
        *arguments: str,
        given: str | None = None,
        more: Mapping[str, str] | None = None,
        strip: bool = True,
        timeout_s: float = TIMEOUT_S,
    ) -> str:
        data = (given or "").encode()
        output = self._bytes(*arguments, given=data, more=more, timeout_s=timeout_s)
        text = output.decode(errors="replace")
        return text.strip() if strip else text

    def _bytes(
        self,
        *arguments: str,
        given: bytes = b"",
        more: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> bytes:
        faults.reach("git.call")
        output = git.run(
            self.root,
            *arguments,
            given=given,
            more={**LITERAL, **(more or {})},
            timeout_s=timeout_s,
        )
        faults.reach("git.called")
        return output

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of many blobs, by one call."""
        # Answers come in the order of the requests, each once.
        wanted = sorted(set(blobs))
        if not wanted:
            return {}
        given = "".join(f"{blob}\n" for blob in wanted).encode()
        data, by_blob, place = self._bytes("cat-file", "--batch", given=given), {}, 0
        for blob in wanted:
            end = data.index(b"\n", place)
            size = int(data[place:end].rsplit(b" ", 1)[1])
            by_blob[blob] = data[end + 1 : end + 1 + size]
            # The content is followed by a line break that its size does not count.
            place = end + size + 2
        return by_blob

    def is_ancestor(self, earlier: str, later: str) -> bool:
        """Tell whether the later commit holds the earlier one."""
        return self._try("merge-base", "--is-ancestor", earlier, later) is not None
