"""Runs on hosts: the program that renews on ops hosts, and what takes the certificate on edge hosts."""
