"""Import of other tools' tuning setups: a file of theirs -> a draft of ``tuning.yaml``."""
