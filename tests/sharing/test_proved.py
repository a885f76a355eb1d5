"""A version that nobody has tried shares nothing, whatever the family."""

from pydoc import locate
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier

from tunesmith import registry
from tunesmith.sharing import proved
from tunesmith.sharing.proved import Proved, Versions

GROUPS = ("submodels", "subtransformers")
FAMILIES = [(group, name) for group in GROUPS for name in registry.names(group)]


@pytest.mark.parametrize("version", ["1.6.0", "1.8.9", "1.10", "2.0.0", None])
def test_only_the_versions_listed_are_inside(
    version: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proved, "installed", lambda _package: version)
    said = Versions("sklearn", "1.9", "1.10").blocker
    assert said == f"sklearn {version or '(not installed)'} is not among the versions tried"


@pytest.mark.parametrize(("group", "name"), FAMILIES)
def test_each_family_has_a_list_that_ends(group: str, name: str) -> None:
    versions = registry.load(group, name)().proved.versions
    assert proved._order(versions.first) < proved._order(versions.below)


def test_an_untried_version_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proved, "installed", lambda _package: "1.6.0")
    listed = Proved(
        ("sklearn.ensemble.RandomForestClassifier",), Versions("sklearn", "1.9", "1.10")
    )
    assert "1.6.0 is not among" in listed.blocker(RandomForestClassifier())


@pytest.mark.parametrize(("group", "name"), FAMILIES)
def test_no_family_shares_under_a_scikit_learn_that_it_was_not_tried_with(
    group: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = proved.installed
    listed = registry.load(group, name)().proved
    kinds: list[Any] = [kind for kind in map(locate, listed.classes) if kind is not None]
    is_meta = name == "from_model"
    estimators = [kind(*[RandomForestClassifier()] * is_meta) for kind in kinds]
    before = [listed.blocker(estimator) for estimator in estimators]
    monkeypatch.setattr(proved, "installed", lambda p: "1.8.0" if p == "sklearn" else real(p))
    after = [listed.blocker(estimator) for estimator in estimators]
    assert "" in before
    assert {*after} == {"sklearn 1.8.0 is not among the versions tried"}
    assert "1.8.0" in proved.blocker_of_parts(RandomForestClassifier())
