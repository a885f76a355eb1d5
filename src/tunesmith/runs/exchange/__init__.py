"""Exchange of finished trials with other tools' studies."""
