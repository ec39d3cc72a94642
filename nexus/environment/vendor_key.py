"""Keys with which vendors sign their packages: files of the project, fetched and compared by an operator."""

from nexus.environment.environment import Environment
from nexus.error import OperatorError


def signing_key(env: Environment, vendor: str, role: str, otherwise: str) -> str:
    """The key in the file that the setting ROLE_key_file names.

    OperatorError if it is missing, with the command that fetches it from ROLE_key_url, and what to do `otherwise`.
    """
    file, url = env.setting[f"{role}_key_file"], env.setting[f"{role}_key_url"]
    path = env.root / str(file)
    if not path.is_file():
        raise OperatorError(
            f"{vendor}: {path} is missing, which is the key that signs the vendor's packages. Fetch it with "
            f"`curl -fsS --create-dirs -o {file} {url}` and compare its fingerprint with the vendor's, or {otherwise}"
        )
    return path.read_text()
