"""Draws the statements that make a case's rows."""

from dataclasses import dataclass
from random import Random

BINARY, SEVERAL, NUMBERS = "binary", "several", "numbers"


@dataclass(frozen=True)
class Table:
    """Statements, and what is known of their outcome."""

    lines: tuple[str, ...]
    task: str
    has_gaps: bool
    is_odd: bool
    """Whether many estimators refuse such rows."""


def draw_table(random: Random, task: str, *, is_tame: bool, may_gap: bool) -> Table:
    """Rows of a few columns.

    Args:
        random: what to draw with.
        task: ``BINARY``, ``SEVERAL`` classes or ``NUMBERS``.
        is_tame: leave out what most estimators refuse.
        may_gap: whether missing values are no reason to fail.
    """
    n, m = random.choice([24, 36, 48, 60, 90]), random.randint(2, 6)
    lines = [
        f"draw = np.random.default_rng({random.randint(0, 999)})",
        f"X = draw.normal(size=({n}, {m}))",
        *_targets(random, task),
    ]
    lines += _rows(random, task)
    has_gaps = may_gap and random.random() < 0.25
    if has_gaps:
        lines.append(f"X[draw.random(X.shape) < {random.choice([0.05, 0.3])}] = np.nan")
    odd = _odd_rows(random, task) if random.random() < (0.02 if is_tame else 0.1) else []
    lines += [*odd, *_classes(random, task), *_containers(random, task, has_gaps=has_gaps)]
    return Table(tuple(lines), task, has_gaps, bool(odd))


def _targets(random: Random, task: str) -> list[str]:
    noise = random.choice([0.1, 0.5, 2.0])
    signal = f"y = X[:, 0] + X[:, -1] ** 2 + {noise} * draw.normal(size=len(X))"
    if task == NUMBERS:
        return [signal, *random.choice([[], [], ["y = y.round(1)"], ["y = np.abs(y) + 0.1"]])]
    if task == BINARY:
        return [signal, f"y = (y > np.quantile(y, {random.choice([0.5, 0.5, 0.8])})).astype(int)"]
    return [signal, "y = np.digitize(y, np.quantile(y, [0.3, 0.7]))"]


def _rows(random: Random, task: str) -> list[str]:
    found = []
    if random.random() < 0.3:
        found.append(f"X = X.round({random.choice([0, 1])})")
    if random.random() < 0.15:
        found.append(f"X[:, 1] = {random.choice(['0.0', '2.5', 'y', 'X[:, 0]'])}")
    if random.random() < 0.15:
        found.append("X[len(X) // 2 :] = X[: len(X) - len(X) // 2]")
    if random.random() < 0.05:
        found.append("X[:] = 1.0")
    if random.random() < 0.1:
        found.append(f"X = X[:{random.choice([8, 12, 16])}]; y = y[:len(X)]")
    if random.random() < 0.1:
        found.append("X = X * 1e6 + 1e8")
    if task != NUMBERS and random.random() < 0.15:
        found.append("order = np.argsort(y, kind='stable'); X, y = X[order], y[order]")
    return found


def _odd_rows(random: Random, task: str) -> list[str]:
    odd = [
        "X[3, 0] = np.inf",
        "X[3, 0] = np.nan",
        "X = X[:4]; y = y[:4]",
        "y[:] = y[0]",
        "X = X[:, :0]",
    ]
    if task == NUMBERS:
        odd += ["y[3] = np.nan", "y = np.column_stack([y, -y])", "y[0] = 1e300"]
    else:
        odd += ["y = y.reshape(-1, 1)", "y = y.astype(float) + 0.5", "y = np.column_stack([y, y])"]
    return [random.choice(odd)]


def _classes(random: Random, task: str) -> list[str]:
    if task == NUMBERS:
        return random.choice([[], [], [], ["y = y.astype(np.float32)"]])
    forms = [
        *([[]] * 5),
        ["y = np.array(['no', 'yes', 'so'])[y]"],
        ["y = y * 2 - 1"],
        ["y = y.astype(float)"],
        ["y = np.array(['no', 'yes', 'so'], dtype=object)[y]"],
        ["y[0] = y.max() + 1"],
        ["y = y == y.max()"],
    ]
    return random.choice(forms)


def _containers(random: Random, task: str, *, has_gaps: bool) -> list[str]:
    rows = [
        *([""] * 8),
        "X = np.asfortranarray(X)",
        "X = X.astype(np.float32)",
        "X = X.round().astype(int)" if not has_gaps else "",
        "X.flags.writeable = False",
        "X = pd.DataFrame(X).add_prefix('c')",
        "X = pd.DataFrame(X).add_prefix('c').astype({'c0': 'float32'})",
        "X = pd.DataFrame(X, index=np.arange(len(X)) + 7)",
        "X = X.tolist()",
        "X = sparse.csr_array(X)",
        "X = sparse.csc_matrix(X)",
    ]
    targets = [
        *([""] * 6),
        "y = pd.Series(y)",
        "y = pd.Series(y, index=np.arange(len(y))[::-1])",
        "y = y.tolist()",
        "y.flags.writeable = False",
        "y = pd.Series(y).convert_dtypes()",
    ]
    if task != NUMBERS:
        targets.append("y = pd.Series(y).astype('category')")
    return [line for line in (random.choice(rows), random.choice(targets)) if line]


def draw_weights(random: Random, *, is_tame: bool) -> str:
    """A statement that makes sample weights."""
    forms = [
        "w = draw.random(len(y))",
        "w = draw.integers(0, 3, len(y))",
        "w = draw.random(len(y)).tolist()",
        "w = pd.Series(draw.random(len(y)))",
        "w = np.ones(len(y))",
        "w = draw.random(len(y)).astype(np.float32)",
    ]
    odd = ["w = np.zeros(len(y))", "w = -draw.random(len(y))", "w = draw.random(len(y) - 1)"]
    return random.choice(forms if is_tame else [*forms, *odd])


def draw_groups(random: Random) -> str:
    """A statement that makes groups."""
    return random.choice(["g = np.arange(len(y)) % 5", "g = np.arange(len(y)) // 6"])
