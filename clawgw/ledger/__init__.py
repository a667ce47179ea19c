"""What is written down about a request when it is over."""
