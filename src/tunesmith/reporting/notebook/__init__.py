"""Results and progress as notebooks show them."""
