"""The HTTP side: the hot endpoints as a plain ASGI application, and a Quart-Trio application for all the rest."""
