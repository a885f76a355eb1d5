"""Git's filters, through which files pass on their way in and out; above all Git LFS.

Hooks are off in all our calls, so that Git LFS, which uploads from a hook, has to be called.
"""

import re
from collections.abc import Sequence

from tunesmith.pipeline.plumbing import Plumbing
from tunesmith.system.git import GitError

LFS = "lfs"
LFS_TIMEOUT_S = 600
POINTER = re.compile(
    rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v1\n"
    rb"(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\n"
)
# The specification of Git LFS limits a pointer to this size, so larger blobs are not read.
MAX_POINTER_BYTES = 1024
# The digests are arguments, and the length of a command line is limited.
OBJECTS_A_CALL = 200
WHOLE = "lfs.allowincompletepush=false"
"""Whatever the project's settings let pass."""
NOT_HERE = re.compile(r"no such file|cannot find the file|missing or corrupt", re.IGNORECASE)
FETCH_OBJECTS = (
    "An object is not in this clone. If it is anywhere: `git lfs fetch --all`, and try again."
)
NO_LFS = (
    "git-lfs is not installed here, so the files that Git LFS stores cannot be uploaded; nothing"
    " was pushed.\n  Install it in the job (`apt-get install git-lfs && git lfs install`), or have"
    " these files left to Git itself (.gitattributes)."
)


class Filters(Plumbing):
    """A repository whose files may pass through filters."""

    def filters_of(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the filter of each path that has one, by ``.gitattributes``."""
        if not paths:
            return {}
        given = "".join(f"{path}\0" for path in paths)
        # This command knows no patterns, and stops at being told that there are none.
        usual = {"GIT_LITERAL_PATHSPECS": "0"}
        told = self._run("check-attr", "-z", "--stdin", "filter", given=given, more=usual)
        words = told.split("\0")
        rows = zip(words[0::3], words[2::3], strict=False)
        return {path: name for path, name in rows if name not in ("unspecified", "unset", "set")}

    def filtered_blob(self, path: str, file: str, filter_: str | None, before: str | None) -> str:
        """Store a file of the working tree as ``git add`` would.

        Args:
            path: of the file, relative to the repository.
            file: its place on disk.
            filter_: that it passes through, if any.
            before: its blob as committed, if it was.

        Returns:
            Its blob.

        Raises:
            GitError: the filter is not set up here, or fails: the file would be stored as it is.
        """
        if filter_ is None:
            return self._run("hash-object", "-w", "--path", path, "--", file)
        # A pointer whose object was never fetched already is the file as committed: no filter.
        if before is not None and self._run("hash-object", "--no-filters", "--", file) == before:
            return before
        if not any(self._try("config", f"filter.{filter_}.{k}") for k in ("process", "clean")):
            raise GitError(_not_set_up(path, filter_))
        # Unless it is required, Git stores the file unfiltered when a filter fails.
        strict = ("-c", f"filter.{filter_}.required=true")
        try:
            blob = self._run(*strict, "hash-object", "-w", "--path", path, "--", file)
        except GitError as error:
            raise GitError(f"{_not_set_up(path, filter_)}\n  Git: {error}", error.said) from None
        # A filter that is set up wrongly may succeed and give the file back as it is.
        if filter_ == LFS and not self._is_pointer_or_empty(blob):
            raise GitError(_not_set_up(path, filter_))
        return blob

    def _is_pointer_or_empty(self, blob: str) -> bool:
        data = self.contents([blob])[blob]
        return not data or POINTER.match(data) is not None

    def upload_objects(self, remote: str, new: Sequence[str], known: Sequence[str]) -> int:
        """Upload objects of Git LFS, so that no pointer is pushed without its object.

        Args:
            remote: its name or address.
            new: commits that are about to be pushed.
            known: commits that the remote has.

        Returns:
            The number of objects.

        Raises:
            GitError: git-lfs is missing, or an object cannot be uploaded.
        """
        objects = self._objects(remote, new, known)
        if objects and self._try("lfs", "version") is None:
            raise GitError(NO_LFS)
        for first in range(0, len(objects), OBJECTS_A_CALL):
            part = objects[first : first + OBJECTS_A_CALL]
            call = ("-c", WHOLE, "lfs", "push", "--object-id", remote, *part)
            try:
                self._run(*call, timeout_s=LFS_TIMEOUT_S)
            except GitError as error:
                text = f"Git LFS could not upload to {remote} ({error}); nothing was pushed."
                way = f"\n  {FETCH_OBJECTS}" if NOT_HERE.search(error.said) else ""
                raise GitError(text + way, error.said) from None
        return len(objects)

    def _objects(self, remote: str, new: Sequence[str], known: Sequence[str]) -> list[str]:
        """Digests of the objects that new commits point to."""
        shape = ("--objects", "--no-object-names")
        bounds = [*new, "--not", *known, f"--remotes={remote}"]
        # The remote's tips need not be in this clone.
        listed = self._run("rev-list", "--ignore-missing", *shape, *bounds)
        if not listed:
            return []
        told = self._run("cat-file", "--batch-check", given=f"{listed}\n")
        rows = [line.split() for line in told.splitlines()]
        small = [r[0] for r in rows if r[1] == "blob" and int(r[2]) <= MAX_POINTER_BYTES]
        pointers = [POINTER.match(data) for data in self.contents(small).values()]
        return sorted({match[1].decode() for match in pointers if match})


def _not_set_up(path: str, filter_: str) -> str:
    way = "`git lfs install`" if filter_ == LFS else f"`git config filter.{filter_}.clean COMMAND`"
    return (
        f"{path} passes through Git's filter `{filter_}` (.gitattributes), which does not work"
        f" here: it would be stored as it is. Nothing was done.\n  Set it up in the job: {way}."
    )
