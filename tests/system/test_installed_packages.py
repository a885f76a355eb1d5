from importlib.metadata import distributions, packages_distributions

from tunesmith.system import installed_packages


def test_names_and_versions_are_those_of_the_standard_library() -> None:
    wanted = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"]}
    assert installed_packages.packages() == dict(sorted(wanted.items()))


def test_modules_come_from_where_the_standard_library_says() -> None:
    found = {top: set(names) for top, names in installed_packages.providers().items()}
    wanted = {top: set(names) for top, names in packages_distributions().items()}
    # More may be told of files that are no modules.
    assert {top: names for top, names in found.items() if top in wanted} == wanted
