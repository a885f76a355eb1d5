"""The page of the documentation that lists the conditions under which sharing is proved."""

from collections.abc import Iterator, Mapping

from tunesmith import registry
from tunesmith.sharing.growth import GROWTHS
from tunesmith.sharing.proved import Proved, Values
from tunesmith.sharing.submodels.family import Family, aliases_of, free_of
from tunesmith.sharing.subtransformers.family import TransformerFamily

HEAD = """# Which fits are shared

Made from the code by `python docs/generate.py`.

One fit of a forest of 500 trees holds those of 1 to 499. Where candidates differ in such a parameter
alone, Tunesmith makes one fit and scores all of them from it. Their scores are those of fits made one by
one, bit for bit, and three things see to that:

1. **Lists.** A fit is shared only for the classes, versions, parameters and arguments of `fit` that
   are listed below, each of which is compared with fresh fits by `tunesmith.testing.submodels`. Whatever
   else is set away from its default means that each candidate is fitted by itself: another name for a
   parameter that the library's own table does not have, a keyword that it passes on, `eval_set`,
   `callbacks`, `monitor`, a class derived from a listed one, a version that nobody has tried. Your own
   transformers and functions before the last step of a pipeline are not shared either: nobody knows what
   they do. `tunesmith check` tells what is not shared, and why; so does `plan_` of the searches in
   `tunesmith.sklearn`, which they print with `verbose=1`.
2. **A check.** The first shared fit of a kind (family, estimators, versions, parameters that are set, kind
   of data) is compared with fresh fits before its scores count: what the candidates predict, as
   probabilities, decision values and classes, on a small part of the rows (as many candidates as begin within half a second of CPU), and what one of them, drawn by a
   seed, predicts on all of them. That costs one fit of full size and those on the small part. In a search of `tunesmith.sklearn` without a `ledger` or fold models, one worker
   pays it, at the time of its first shared fit; the others go on meanwhile, and what they find counts once the check has passed
   ([measured](../benchmarks/rounds.md#at-4000-rows)). With a ledger, and in all other runs, each process that makes fits pays it, all at the same time. With several workers, a search compares the small
   part of scikit-learn's own estimators itself, while the workers still import their libraries. The ledger remembers what has
   passed, so that it is paid for once; a search without one pays it again. A candidate that answers otherwise in a single bit ends this way of
   sharing for the run, which says so.
3. **Rows of their own.** Targets, weights and features reach each fit as a copy, or in memory that
   nobody can write to. Estimators and metrics of your own get rows as scikit-learn cuts them.

`execution: {share: off}` makes every fit by itself, and takes no score that came from a shared fit;
`tunesmith verify --refit 20 --unshared` holds recorded scores against such fits. The ledger and the
history say of every evaluation how it was made.

Values of a parameter on two sides of a border (CatBoost estimates leaves otherwise below 200 rounds,
`algorithm: auto` looks neighbours up otherwise from half of the rows on) make two shared fits. A value that
the estimator refuses stands alone.

Besides, a fit may show that others need not be made ([below](#the-same-model-from-other-parameters)).

What it saves: [ten values of rounds](../benchmarks/rounds.md) on 20,000 and 100,000 rows, and
[all cases](../benchmarks/results.md) beside `GridSearchCV`.
"""


SAME = """## The same model from other parameters

If no tree of a fit came as deep as its `max_depth`, the fit would be the same with any larger one, bit
for bit: the limit was asked for at each node, and said no each time. A search that asks for such a
depth later gets the scores that are there, and makes no fit. So it is with `max_leaf_nodes`
that no tree reached (but not with `None`, for which trees grow in another order), with `min_samples_split`
up to twice `min_samples_leaf`, and with values of `max_features` that stand for the same number of
columns, as `sqrt` and `log2` do for 10 columns. The trials of a study stay what they are; only fits are
spared. It takes a whole number as `random_state`. With `ccp_alpha`, depth and leaves are
known of shared fits along it alone. If you bring a scorer of your own that gets the estimator, each fit
is made: it may read the parameters. A metric of your own that gets predictions is no obstacle.

The first such scores of a run are compared with those of fits of their own. The ledger says `SameModel`
of scores that were taken over.
"""


def sharing_markdown() -> str:
    """Write the page."""
    parts = [HEAD, SAME, *_growths(), "## Families of estimators\n"]
    parts += _section("submodels")
    parts.append("## Families of transformers, before the last step of a pipeline\n")
    parts += _section("subtransformers")
    return "\n".join(parts)


def _growths() -> Iterator[str]:
    yield "| estimators | parameters that a fit may show to change nothing |\n|---|---|"
    for growth in GROWTHS:
        names = ", ".join(f"`{name}`" for name in (growth.parameter, *growth.free))
        yield f"| {', '.join(map(_short, growth.proved.classes))} | {names} |"
    yield "\nAll their other parameters have to be as listed for these estimators below.\n"


def _section(group: str) -> Iterator[str]:
    for name in registry.BUILTIN[group]:
        family = registry.load(group, name)()
        yield f"### {', '.join(_short(path) for path in family.proved.classes)}\n"
        yield f"Along {_along(family)}. {_versions(family.proved)}\n"
        yield _table("parameter", family.proved.params)
        if family.proved.fit_params:
            yield _table("argument of `fit`", family.proved.fit_params)


def _short(path: str) -> str:
    return f"`{path.rpartition('.')[2]}`"


def _along(family: Family | TransformerFamily) -> str:
    names = family.parameters if isinstance(family, TransformerFamily) else (family.parameter,)
    aliases, free = aliases_of(family), free_of(family)
    text = " and ".join(f"`{name}`" for name in names)
    text += f" (by whichever name: {', '.join(f'`{a}`' for a in aliases)})" if aliases else ""
    return text + (f", whatever {', '.join(f'`{name}`' for name in free)} is" if free else "")


def _versions(proved: Proved) -> str:
    names = {"sklearn": "scikit-learn"}
    versions = proved.versions
    package = names.get(versions.package, versions.package)
    return f"Tried with {package} {versions.first} and later, before {versions.below}."


def _table(title: str, listed: Mapping[str, Values]) -> str:
    rows = [f"| `{name}` | {values.words.replace('|', '/')} |" for name, values in listed.items()]
    return "\n".join([f"| {title} | values |", "|---|---|", *rows, ""])
