from tunesmith.execute.choose import choose, n_cores


def test_one_worker_stays_here_unless_it_must_be_stoppable() -> None:
    assert choose("auto", 1, None) == ("serial", 1)
    assert choose("auto", 1, 5.0) == ("processes", 1)
    assert choose("auto", 4, None) == ("processes", 4)
    assert choose("serial", 4, None) == ("serial", 4)


def test_cores_are_counted() -> None:
    assert choose("auto", None, None)[1] == n_cores() >= 1
