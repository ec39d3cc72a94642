"""What a run costs, beside its peers and against absolute targets. Measures; the tests decide what is right."""
