"""Signatures of manifests by SSH keys, with OpenSSH's own program."""

import subprocess
from pathlib import Path

from nexus.error import OperatorError

NAMESPACE = "nexus-cos-handoff"
SIGNER = "handoff"  # the name of the signer in a file of allowed signers


def sign(manifest: Path, key: Path) -> Path:
    """Sign a manifest; returns the file of the signature. OperatorError if the key cannot sign."""
    signature = manifest.with_name(f"{manifest.name}.sig")
    signature.unlink(missing_ok=True)
    if not key.is_file():
        raise OperatorError(f"handoff_signing_key: {key} is not a file: name an SSH private key, or leave it empty")
    done = _ssh_keygen("sign", "-q", "-f", str(key), "-n", NAMESPACE, str(manifest))
    if done.returncode or not signature.is_file():
        raise OperatorError(f"handoff_signing_key: {key} cannot sign {manifest.name}: {done.stderr.strip()}")
    return signature


def check(manifest: Path, signature: Path, signers: Path | None) -> str:
    """Who signed a manifest, in words. OperatorError if the signature is not of this manifest or of no signer.

    `signers` is a file of allowed signers: lines `handoff KEY`. Without it, only the manifest is proven unchanged.
    """
    words = ["-n", NAMESPACE, "-s", str(signature)]
    if signers:
        if not signers.is_file():
            raise OperatorError(f"signers={signers} is not a file: write a line `{SIGNER} PUBLIC-KEY` into one")
        done = _ssh_keygen("verify", "-f", str(signers), "-I", SIGNER, *words, given=manifest)
    else:
        done = _ssh_keygen("check-novalidate", *words, given=manifest)
    if done.returncode:
        why = (done.stderr or done.stdout).strip()
        raise OperatorError(f"{signature.name} is not a valid signature of {manifest.name}: {why}; get both again")
    return done.stdout.strip()


def _ssh_keygen(action: str, *words: str, given: Path | None = None) -> "subprocess.CompletedProcess[str]":
    command = ["ssh-keygen", "-Y", action, *words]
    text = given.read_text() if given else ""
    try:  # in a session of its own it has no terminal to ask for a passphrase, and fails
        return subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=30, check=False, start_new_session=True
        )
    except FileNotFoundError:
        raise OperatorError("ssh-keygen is not installed here: apt-get install openssh-client") from None
