"""Speed and memory beside PyTorch and JAX: ``make bench``, or ``python benchmarks/run.py``; docs/performance.md."""
