"""Settings of the choice of a trial, free of statistics: policy, preference, simplicity."""
