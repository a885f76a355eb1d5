"""The plan of a run (dry run): what it would evaluate, and what is known already."""
