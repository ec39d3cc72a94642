"""Settings of the greeting."""

greeting_words: str = "good evening"  # the words of the greeting
