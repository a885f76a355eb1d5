"""Build the documentation site from the repository's own pages.

    python tools/site.py [--repository URL] [--only-collect]

Pages stay where they are and are read on the Git host as well. Here they are collected into
`build/docs-site/docs`: links are written anew for the place of each page on the site, files that
pages link to are copied beside them, and the Python reference is filled in. Zensical then builds
`build/docs-site/site`, in its strict mode.
"""

import argparse
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {
    "examples/README.md": "examples.md",
    "examples/mlops/README.md": "mlops.md",
    "benchmarks/results.md": "benchmarks.md",
    "CONTRIBUTING.md": "contributing.md",
    # The site has a front page of its own.
    "README.md": "index.md",
}
"""Pages that lie outside of `docs`, and their places on the site."""
PLACEHOLDER = "https://github.com/OWNER/tunesmith"
# Zensical's pages load this for search without a server, but without a network it is not there.
ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
FRAME_WORKER = "javascripts/frame-worker.js"
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r'(\]\(|\b(?:href|src|srcset)=")([^)"\s#]*)(#[^)"\s]*)?([)"])')
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
API = re.compile(r"^<!-- (::: [\w.]+) -->$", re.MULTILINE)


class SiteError(Exception):
    """The pages cannot become a site; the message names each place."""


@dataclass
class Site:
    """The pages of a repository, and their places on the site."""

    root: Path
    """Of the repository."""
    target: Path
    """The folder to build in."""
    repository: str = ""
    """Address of the repository; empty if it is not to be named."""
    problems: list[str] = field(default_factory=list)

    @property
    def docs(self) -> Path:
        """Folder of the collected pages."""
        return self.target / "docs"

    @property
    def pages(self) -> dict[str, str]:
        """Path in the repository -> path on the site, of every page."""
        inside = sorted(self.root.glob("docs/**/*.md"))
        named = {_relative(path, self.root): _relative(path, self.root / "docs") for path in inside}
        named = {path: re.sub(r"README\.md$", "index.md", place) for path, place in named.items()}
        taken = [path for path, place in OUTSIDE.items() if place in named.values()]
        return named | {path: OUTSIDE[path] for path in OUTSIDE if path not in taken}

    def collect(self) -> None:
        """Write pages, files and the configuration for Zensical.

        Raises:
            SiteError: a link leads nowhere, or a page is in no section.
        """
        shutil.rmtree(self.target, ignore_errors=True)
        pages = self.pages | {"README.md": "index.md"}
        for source, place in self.pages.items():
            self._write(place, self._text(source, place, pages))
        for folder in ("stylesheets", "javascripts"):
            for path in sorted(self.root.glob(f"docs/{folder}/*")):
                self._copy(_relative(path, self.root / "docs"), path)
        self._configure()
        if self.problems:
            raise SiteError("\n".join(self.problems))

    def build(self) -> None:
        """Build the site.

        Raises:
            SiteError: Zensical finds something wrong.
        """
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "-f", str(self.target / "zensical.toml")],
            cwd=self.target,
            capture_output=True,
            text=True,
            check=False,
        )
        said = COLOUR.sub("", done.stdout + done.stderr).partition("Traceback")[0]
        if done.returncode or "warning" in said.lower():
            raise SiteError(said)
        for page in (self.target / "site").rglob("*.html"):
            self._keep_inside(page)

    def _keep_inside(self, page: Path) -> None:
        """Replace the one script that pages would load from elsewhere by ours."""
        back = posixpath.relpath(FRAME_WORKER, _relative(page.parent, self.target / "site"))
        text = page.read_text(encoding="utf-8").replace(ELSEWHERE, back)
        page.write_text(text, encoding="utf-8")

    def _text(self, source: str, place: str, pages: Mapping[str, str]) -> str:
        """The text of a page for its place on the site."""
        text = (self.root / source).read_text(encoding="utf-8")
        if self.repository:
            text = text.replace(PLACEHOLDER, self.repository)
        text = API.sub(r"\1", text)
        parts, end = [], 0
        # A link in a block of code is an example, not a link.
        for fence in FENCE.finditer(text):
            parts += [self._links(text[end : fence.start()], source, place, pages), fence[0]]
            end = fence.end()
        return "".join([*parts, self._links(text[end:], source, place, pages)])

    def _links(self, text: str, source: str, place: str, pages: Mapping[str, str]) -> str:
        def written(match: re.Match[str]) -> str:
            before, target, anchor, after = match.groups()
            if not target or re.match(r"[a-z]+:", target):
                return match[0]
            led = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
            there = self._place(led, source, target, pages)
            back = posixpath.relpath(there, posixpath.dirname(place) or ".")
            return f"{before}{back}{anchor or ''}{after}"

        return LINK.sub(written, text)

    def _place(self, led: str, source: str, target: str, pages: Mapping[str, str]) -> str:
        """The place on the site of what a link leads to."""
        for page in (led, f"{led}/README.md"):
            if page in pages:
                return pages[page]
        path = self.root / led
        if path.is_file():
            # Pictures stay beside the pages of `docs`; other files come from all over.
            place = led.removeprefix("docs/") if led.startswith("docs/") else f"files/{led}"
            if path.suffix == ".md":
                self._write_once(led, place, pages)
            else:
                self._copy(place, path)
            return place
        self.problems.append(f"{source}: {target} is neither a page nor a file of the repository.")
        return target

    def _configure(self) -> None:
        """Write the configuration, with the pages of each section by name."""
        document = tomlkit.parse((self.root / "docs/zensical.toml").read_text(encoding="utf-8"))
        project = document["project"].unwrap()
        placed = set(self.pages.values())
        project["nav"] = [*self._nav(project["nav"], placed)]
        missing = placed - set(_leaves(project["nav"]))
        self.problems += [
            f"docs/zensical.toml: {page} is in no section of `nav`." for page in sorted(missing)
        ]
        project |= {"docs_dir": "docs", "site_dir": "site"}
        if self.repository:
            project |= {"repo_url": self.repository, "repo_name": "Repository"}
        else:
            del project["repo_url"]
        python = project["plugins"]["mkdocstrings"]["handlers"]["python"]
        python["paths"] = [str(self.root / "src")]
        text = tomlkit.dumps({"project": project})
        (self.target / "zensical.toml").write_text(text, encoding="utf-8")

    def _nav(self, entries: list[Any], placed: set[str]) -> Iterator[Any]:
        for entry in entries:
            if isinstance(entry, str):
                yield from self._named(entry, placed)
                continue
            ((title, below),) = entry.items()
            listed = [*self._nav([below] if isinstance(below, str) else below, placed)]
            # A section of which nothing is there is left out.
            if listed:
                yield {title: listed[0] if isinstance(below, str) and len(listed) == 1 else listed}

    def _named(self, entry: str, placed: set[str]) -> Iterator[str]:
        """Yield the pages that an entry of the navigation names."""
        name = entry.removesuffix("?")
        if name.endswith("/"):
            # An index comes first, as the front page of its section.
            found = sorted((p for p in placed if p.startswith(name)), key=_index_first)
        else:
            found = [name] if name in placed else []
        if not found and name == entry:
            self.problems.append(f"docs/zensical.toml: `nav` names {entry}, which is not there.")
        yield from found

    def _write_once(self, source: str, place: str, pages: Mapping[str, str]) -> None:
        """Write a page that only links lead to; its own links lead to places of the site too."""
        if not (self.docs / place).exists():
            # Pages may link to each other in a circle.
            self._write(place, "")
            self._write(place, self._text(source, place, pages))

    def _write(self, place: str, text: str) -> None:
        path = self.docs / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _copy(self, place: str, source: Path) -> None:
        path = self.docs / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)


def _index_first(place: str) -> tuple[bool, str]:
    return not place.endswith("/index.md"), place


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _leaves(nav: Any) -> Iterator[str]:
    """Yield the pages of a navigation."""
    if isinstance(nav, str):
        yield nav
    else:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from _leaves(entry)


def main() -> None:
    """Collect the pages and build the site, or say what is wrong with them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repository", default=os.environ.get("REPOSITORY", ""), metavar="URL")
    parser.add_argument("--target", type=Path, default=ROOT / "build/docs-site", metavar="FOLDER")
    parser.add_argument("--only-collect", action="store_true", help="Do not build.")
    given = parser.parse_args()
    site = Site(ROOT, given.target, given.repository.rstrip("/"))
    try:
        site.collect()
        if not given.only_collect:
            site.build()
    except SiteError as error:
        sys.exit(str(error))
    print(given.target / ("docs" if given.only_collect else "site/index.html"))


if __name__ == "__main__":
    main()
