"""Sample efficiency of the samplers on recorded and real tuning problems."""
