"""Users' policies: loading their modules, and calling them so that none can harm the gateway.

A policy is code that nobody here has read. Its module is imported in a child process first (`trial`), then here under
a name of its own version (`modules`, `load`); each call has 50 ms (`guard`), and what it returns is checked
(`returned`); one that overruns is left out for a while (`quarantine`). `runner.PolicyRunner` is what the gateway calls.
"""
