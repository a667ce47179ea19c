"""clawgw beside other gateways, all on this machine, in one run: `python -m benchmarks.peers` (docs/benchmarks.md)."""
