"""DVC's files, read and edited as the YAML that they are: DVC itself is never imported."""
