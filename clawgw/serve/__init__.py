"""The composition root: reads the world (sockets, environment, signals), wires everything, owns the processes."""
