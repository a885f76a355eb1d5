"""``tuning.yaml`` (or JSON, TOML) -> a typed, frozen definition of a study."""
