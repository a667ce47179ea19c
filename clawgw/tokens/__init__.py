"""How many tokens a prompt is, before anybody is called: counted where the vocabulary is known, else estimated."""
