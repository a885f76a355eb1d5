"""What configurations are called."""

CONFIG_NAMES = (
    "tuning.yaml",
    "tuning.yml",
    "tuning.json",
    "tuning.toml",
    "config/tuning_config.json",
    "config/tuning_config.yaml",
    "config/tuning.yaml",
)
"""Where none is named, the first that is there, relative to the folder of the call."""
