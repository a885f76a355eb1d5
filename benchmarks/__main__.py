"""Run every benchmark: ``make bench``."""

from benchmarks import overhead, suggest_overhead

BENCHMARKS = {
    "What the machinery costs a trial": overhead.main,
    "What one suggestion costs": suggest_overhead.main,
}

for title, main in BENCHMARKS.items():
    print(f"\n## {title}\n", flush=True)
    main()
