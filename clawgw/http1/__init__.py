"""HTTP/1.1, the gateway's own: llhttp (httptools) and our checks without any I/O, and thin shells over Trio streams."""
