from tunesmith.reporting.notebook.live import live_card


def test_the_bar_shows_the_share() -> None:
    assert "width:25.0%" in live_card("svc", "1/4 trials", 0.25)
    assert "width:100.0%" in live_card("svc", "5/4 trials", 1.25)
    assert 'class="bar"' not in live_card("svc", "5 trials", None)


def test_text_is_no_markup() -> None:
    assert "<b>" not in live_card("<b>", "<b>", 0.5)
