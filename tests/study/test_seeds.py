from tunesmith.study.seeds import trial_rng


def test_every_trial_has_its_own_repeatable_stream() -> None:
    draws = {(s, k): trial_rng(s, k).random() for s in range(3) for k in range(50)}
    assert len(set(draws.values())) == 150
    assert trial_rng(1, 7).random() == draws[1, 7]
