"""Connections to peers on the network: names, addresses, TCP and TLS. What is said on them is not known here."""
