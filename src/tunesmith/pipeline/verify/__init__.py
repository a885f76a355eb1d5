"""Whether what a study has left still agrees, and with what Git and DVC hold of it."""
