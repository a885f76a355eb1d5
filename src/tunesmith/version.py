"""The version, in a module without imports so that all others can read it."""

VERSION = "0.1.0"
