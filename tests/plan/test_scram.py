"""Verifiers of SCRAM-SHA-256, which PostgreSQL keeps in place of passwords."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode

from roles.postgresql.host import scram


def test_the_keys_are_those_of_rfc_7677() -> None:
    # The server's signature in the RFC's example conversation can only come from the right server key.
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    said = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
    _, server = scram.keys("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    signature = hmac.digest(b64decode(server), said.encode(), "sha256")
    assert b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_verifier_depends_only_on_user_and_password() -> None:
    assert scram.verifier("a", "x") == scram.verifier("a", "x")
    assert len({scram.salt("a", "x"), scram.salt("b", "x"), scram.salt("a", "y")}) == 3
    stored = scram.verifier("a", "x").split("$")[2].split(":")[0]
    assert len(b64decode(stored)) == hashlib.sha256().digest_size
