"""Run studies: build their parts, plan, evaluate, and leave the results."""
