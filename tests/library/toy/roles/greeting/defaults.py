"""Settings of the greeting."""

greeting_words: str = "good evening"  # what is said
