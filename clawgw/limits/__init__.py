"""What a caller, a label, a route or a provider may use: rules, arithmetic, and the stores that hold the state."""
