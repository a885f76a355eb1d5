"""Usual names of configurations."""

CONFIG_NAMES = (
    "tuning.yaml",
    "tuning.yml",
    "tuning.json",
    "tuning.toml",
    "config/tuning_config.json",
    "config/tuning_config.yaml",
    "config/tuning.yaml",
)
"""If you name none, the first of these that exists is used, relative to the current folder."""
