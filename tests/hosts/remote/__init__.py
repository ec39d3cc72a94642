"""What runs on the hosts while they are checked: one module for each part of a question, see run.py."""
