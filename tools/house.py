"""Count what makes a code base easy or hard to read: rooms, words, names.

    python tools/house.py [FOLDER]

Prints one figure a line: modules and folders, class and file names that occur twice, how far
`definition` travels, docstrings that open with a question word, "where" and "you" in prose, and
comments. The goals stand in CONTRIBUTING.md.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

RIDDLES = ("what", "whether", "where", "how", "who", "whose", "why", "when")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
PRAGMA = re.compile(r"#\s*(noqa|type:|pragma|fmt:|!)")


def modules(package: Path) -> dict[Path, ast.Module]:
    """Parse every module of a package but its templates."""
    files = sorted(package.rglob("*.py"))
    return {f: ast.parse(f.read_text()) for f in files if "templates" not in f.parts}


def docstrings(trees: dict[Path, ast.Module]) -> Iterator[tuple[Path, str]]:
    """Yield (file, text) of every docstring."""
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
                yield file, text


def names_twice(trees: dict[Path, ast.Module]) -> list[str]:
    """List the class names that are defined more than once."""
    defined = (n.name for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.ClassDef))
    return sorted(name for name, n in Counter(defined).items() if n > 1)


def functions(
    trees: dict[Path, ast.Module],
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method."""
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def stays_of(parameter: str, trees: dict[Path, ast.Module]) -> int:
    """Count the functions that take a parameter of this name."""
    arguments = (f.args for f in functions(trees))
    taken = ({a.arg for a in (*f.posonlyargs, *f.args, *f.kwonlyargs)} for f in arguments)
    return sum(parameter in names for names in taken)


def long_functions(n_lines: int, trees: dict[Path, ast.Module]) -> int:
    """Count the functions that have more lines, docstring included."""
    lines = ((f.lineno, f.end_lineno or f.lineno) for f in functions(trees))
    return sum(last - first >= n_lines for first, last in lines)


def many_positional(trees: dict[Path, ast.Module], most: int = 5) -> list[str]:
    """List functions and constructors that take more than ``most`` arguments by position."""
    counted: list[tuple[str, int]] = []
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                counted.append((f"{file}: {node.name}", len(_positional_fields(node))))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
                n = len(names) - (names[:1] in (["self"], ["cls"]))
                counted.append((f"{file}: {node.name}", n))
    return [name for name, n in counted if n > most]


def _positional_fields(node: ast.ClassDef) -> list[str]:
    """List the fields that the constructor of a dataclass or named tuple takes by position."""
    texts = [ast.unparse(decorator) for decorator in node.decorator_list]
    is_dataclass = any(re.match(r"(dataclasses\.)?dataclass\b", text) for text in texts)
    if any("kw_only=True" in text for text in texts):
        return []
    if not is_dataclass and "NamedTuple" not in [ast.unparse(base) for base in node.bases]:
        return []
    fields = []
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        kind, value = ast.unparse(item.annotation), ast.unparse(item.value) if item.value else ""
        if kind.endswith("KW_ONLY"):
            break
        if not kind.startswith("ClassVar") and not re.search(r"(init=False|kw_only=True)", value):
            fields.append(item.target.id)
    return fields


def share_with_local(name: str, trees: dict[Path, ast.Module]) -> float:
    """Percentage of functions with a parameter or a local variable of this name."""
    functions = [
        node
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    having = [f for f in functions if any(_binds(part, name) for part in ast.walk(f))]
    return 100 * len(having) / max(1, len(functions))


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.arg):
        return node.arg == name
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)


def comments(file: Path) -> tuple[int, int]:
    """Count (comment lines, other lines that are not blank) of a module."""
    text = file.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {
        t.start[0] for t in tokens if t.type == tokenize.COMMENT and not PRAGMA.match(t.string)
    }
    return len(lines), sum(bool(line.strip()) for line in text.splitlines()) - len(lines)


def words(texts: Iterator[str] | list[str]) -> Counter[str]:
    """Count the words of texts, in lower case; code blocks and inline code left out."""
    counted: Counter[str] = Counter()
    for text in texts:
        prose = re.sub(r"```.*?```|``[^`]*``|`[^`]*`", " ", text, flags=re.DOTALL)
        counted.update(re.findall(r"[a-z']+", prose.lower()))
    return counted


def rate(counted: Counter[str], word: str, per: int) -> float:
    """Give how often a word occurs in so many words."""
    return per * counted[word] / max(1, counted.total())


def figures(root: Path) -> dict[str, object]:
    """Measure a checkout of Tunesmith."""
    package = root / "src" / "tunesmith"
    trees = modules(package)
    texts = [text for _, text in docstrings(trees)]
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    prose = words([page.read_text() for page in pages])
    code = words(texts)
    openings = sum(re.match(r"\w+", t.lower()) is not None and _first(t) in RIDDLES for t in texts)
    folders = Counter(file.parent for file in trees)
    n_comments, n_lines = (sum(column) for column in zip(*map(comments, trees), strict=True))
    file_names = Counter(file.name for file in trees if file.name != "__init__.py")
    loose = [file for file in trees if file.parent == package and not file.name.startswith("__")]
    return {
        "modules": len(trees),
        "loose modules": len(loose),
        "files in the fullest folder": max(folders.values()),
        "class names twice": len(names_twice(trees)),
        "file names that repeat": sum(n > 1 for n in file_names.values()),
        "modules without a test file of their name": len(without_twin(root, trees)),
        "functions that take `definition`": stays_of("definition", trees),
        "functions of more than 45 lines": long_functions(45, trees),
        "functions with more than 5 positional parameters": len(many_positional(trees)),
        "functions with a local `found`, %": round(share_with_local("found", trees), 1),
        "docstrings": len(texts),
        "docstrings that open with a question word, %": round(100 * openings / len(texts), 1),
        '"where" in 10,000 words of docstrings': round(rate(code, "where", 10_000), 1),
        '"where" in 10,000 words of documents': round(rate(prose, "where", 10_000), 1),
        '"you" in 1,000 words of documents': round(
            sum(rate(prose, word, 1000) for word in ("you", "your", "yours")), 1
        ),
        "comment lines in 100 lines of code": round(100 * n_comments / n_lines, 1),
    }


def without_twin(root: Path, trees: dict[Path, ast.Module]) -> list[Path]:
    """List the modules of the package whose tests have no file of the same name and place.

    What only tests use (``testing``) needs none, and ``__init__`` has no name of its own.
    """
    package, tests = root / "src" / "tunesmith", root / "tests"
    modules = [file.relative_to(package) for file in trees if not file.name.startswith("__")]
    twins = {file: tests / file.with_name(f"test_{file.name}") for file in modules}
    return [f for f, twin in twins.items() if f.parts[0] != "testing" and not twin.is_file()]


def _first(text: str) -> str:
    return re.findall(r"\w+", text.lower())[0]


if __name__ == "__main__":
    for name, figure in figures(Path(sys.argv[1] if len(sys.argv) > 1 else ".")).items():
        print(f"{figure!s:>8}  {name}")
