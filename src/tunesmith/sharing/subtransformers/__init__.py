"""Families of transformers whose parameters change only a small part of their fit."""
