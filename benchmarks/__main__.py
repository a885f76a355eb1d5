"""Run every benchmark: ``make bench``."""

from benchmarks import (
    curves,
    overhead,
    prefix_scoring,
    sample_efficiency,
    sharing,
    suggest_overhead,
)

BENCHMARKS = {
    "Shared fits, beside GridSearchCV": sharing.main,
    "Scores along a path, beside scikit-learn's scorers": prefix_scoring.main,
    "What curves are worth": curves.main,
    "What the machinery costs a trial": overhead.main,
    "What one suggestion costs": suggest_overhead.main,
    "How few trials a good score takes": sample_efficiency.main,
}

for title, main in BENCHMARKS.items():
    print(f"\n## {title}\n", flush=True)
    main()
