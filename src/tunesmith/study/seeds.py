"""Random generators of trials; the one place in which randomness begins."""

from numpy.random import PCG64, Generator, SeedSequence


def trial_rng(seed: int, number: int) -> Generator:
    """Make the generator that proposes trial ``number``: its own stream, whatever came before.

    A stream per trial makes resume cost nothing: no earlier draw has to be repeated.

    >>> float(trial_rng(42, 7).random()) == float(trial_rng(42, 7).random())
    True
    """
    # Named, because NumPy may give `default_rng` another generator in any version.
    return Generator(PCG64(SeedSequence(seed, spawn_key=(number,))))
