"""Families of transformers that differ in what most of their fit does not depend on."""
