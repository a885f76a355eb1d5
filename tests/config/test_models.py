from tunesmith.config.models import ModelsSection


def test_sizes_may_have_units() -> None:
    assert ModelsSection.model_validate({"size": "2MB"}).size == 2_000_000
    assert ModelsSection().keep == 20
