"""The tests: a package, so that they share tables and helpers by relative import."""
