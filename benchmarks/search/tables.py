"""Tables of regret with intervals, of ranks, and of the costs of suggestions."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

MOMENTS = (15, 30, 50, 100)
N_RESAMPLES = 2000


def moments_until(n_trials: int) -> list[int]:
    """Numbers of trials that are shown."""
    return [moment for moment in MOMENTS if moment <= n_trials] or [n_trials]


def regrets(found: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Regret of the recommended trial, from 0 to 1.

    Args:
        found: ``(n_problems, n_players, n_seeds, n_trials)`` losses.
        ends: ``(n_problems, 2)`` best loss and median random loss.
    """
    low, high = ends[:, 0][:, None, None, None], ends[:, 1][:, None, None, None]
    regret: np.ndarray = np.clip((found - low) / (high - low), 0.0, 1.0)
    return regret


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Mean and its 95 % interval: problems are drawn again, then seeds within each.

    Args:
        values: ``(n_problems, n_seeds)``.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    n_problems, n_seeds = values.shape
    problems = rng.integers(n_problems, size=(N_RESAMPLES, n_problems, 1))
    seeds = rng.integers(n_seeds, size=(N_RESAMPLES, n_problems, n_seeds))
    means = values[problems, seeds].mean(axis=(1, 2))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def regret_table(players: Sequence[str], regret: np.ndarray, n_trials: int) -> Iterator[str]:
    """Markdown lines: mean regret with 95 % intervals, and mean rank.

    Args:
        players: names.
        regret: ``(n_problems, n_players, n_seeds, n_trials)``.
        n_trials: length of the studies.
    """
    moments = moments_until(n_trials)
    # Regrets that agree to 9 digits are a tie.
    ranks = rankdata(np.round(regret, 9), axis=1).mean(axis=(0, 2))
    yield row(["sampler", *(f"regret @{m}" for m in moments), *(f"rank @{m}" for m in moments)])
    yield row(["---", *["---:"] * (2 * len(moments))])
    for place, name in enumerate(players):
        cells = [shown(*interval(regret[:, place, :, m - 1])) for m in moments]
        yield row([f"`{name}`", *cells, *(f"{ranks[place, m - 1]:.2f}" for m in moments)])


def difference_table(players: Sequence[str], regret: np.ndarray, n_trials: int) -> Iterator[str]:
    """Markdown lines: paired difference of each player's regret from the first one's."""
    moments = moments_until(n_trials)
    yield row([f"minus `{players[0]}`", *(f"@{m}" for m in moments)])
    yield row(["---", *["---:"] * len(moments)])
    for place, name in enumerate(players[1:], start=1):
        gaps = regret[:, place] - regret[:, 0]
        yield row([f"`{name}`", *(shown(*interval(gaps[:, :, m - 1])) for m in moments)])


def problem_table(
    problems: Sequence[str], players: Sequence[str], regret: np.ndarray, moment: int
) -> Iterator[str]:
    """Markdown lines: mean regret by problem at one number of trials."""
    yield row([f"problem @{moment}", *(f"`{name}`" for name in players)])
    yield row(["---", *["---:"] * len(players)])
    means = regret[..., moment - 1].mean(axis=2)
    for name, of_problem in zip(problems, means, strict=True):
        yield row([name, *(f"{value:.3f}" for value in of_problem)])


def catching_up(regret: np.ndarray, rival: np.ndarray) -> np.ndarray:
    """Number of trials until the regret is at most a rival's after all of its trials.

    Args:
        regret: ``(…, n_trials)``.
        rival: the same shape.

    Returns:
        ``(…,)``; infinity where all trials do not suffice.
    """
    # Regrets that agree to 9 digits are a tie.
    is_there = np.round(regret, 9) <= np.round(rival[..., -1:], 9)
    return np.where(is_there.any(axis=-1), is_there.argmax(axis=-1) + 1.0, np.inf)


def catching_up_table(
    players: Sequence[str], regret: np.ndarray, n_trials: int, rival: str
) -> Iterator[str]:
    """Markdown lines: trials until each player is where a rival is in the end.

    Args:
        players: names.
        regret: ``(n_problems, n_players, n_seeds, n_trials)``.
        n_trials: length of the studies.
        rival: name of one of the players.
    """
    end = regret[:, players.index(rival)]
    yield row([f"trials for the regret of `{rival}` @{n_trials}", "median", "quartiles", "never"])
    yield row(["---", "---:", "---:", "---:"])
    for place, name in enumerate(players):
        if name != rival:
            needed = catching_up(regret[:, place], end)
            low, middle, high = np.quantile(needed, [0.25, 0.5, 0.75], method="inverted_cdf")
            missed = f"{np.isinf(needed).sum()} of {needed.size}"
            yield row([f"`{name}`", f"{middle:.0f}", f"{low:.0f} to {high:.0f}", missed])


def cost_table(costs: Mapping[str, np.ndarray], n_trials: int) -> Iterator[str]:
    """Markdown lines: CPU milliseconds of a suggestion after so many trials.

    Args:
        costs: player -> ``(n_studies, n_trials)`` seconds.
        n_trials: length of the studies.
    """
    moments = moments_until(n_trials)
    yield row(["CPU ms a suggestion", *(f"@{m}" for m in moments), "whole study, s"])
    yield row(["---", *["---:"] * (len(moments) + 1)])
    for name, seconds in costs.items():
        # The median of the last five, since a single one is noisy.
        cells = [f"{1000 * np.median(seconds[:, m - 5 : m]):.1f}" for m in moments]
        yield row([f"`{name}`", *cells, f"{seconds.sum(axis=1).mean():.2f}"])


def shown(mean: float, low: float, high: float) -> str:
    """A mean with its interval."""
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def row(cells: Sequence[str]) -> str:
    """One line of Markdown."""
    return f"| {' | '.join(cells)} |"
