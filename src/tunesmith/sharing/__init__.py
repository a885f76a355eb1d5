"""Score many candidates from one fit, exactly as fits of their own would."""
