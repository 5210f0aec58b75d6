"""The tables that drive the tests: one row an op, a layer, an optimizer."""
