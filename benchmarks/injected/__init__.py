"""Exercises with one known fault, written from the rules' definitions and not from their code."""
