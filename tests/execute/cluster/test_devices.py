from tunesmith.execute.cluster.devices import visible


def test_the_first_that_are_visible() -> None:
    assert visible(3, {}) == ["0", "1", "2"]
    assert visible(1, {"CUDA_VISIBLE_DEVICES": "3, 5"}) == ["3"]
    assert visible(2, {"CUDA_VISIBLE_DEVICES": "GPU-a"}) == ["GPU-a"]
