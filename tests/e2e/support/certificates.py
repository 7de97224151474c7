"""Certificates that are made for a test, by the openssl command."""

import subprocess
from pathlib import Path

from support.case import require_tool

SERVER_NAMES = "DNS:localhost,IP:127.0.0.1"
CLIENT_NAMES = "DNS:client.example,email:client@example,URI:spiffe://example/client,IP:192.0.2.1"

# Without the distribution's openssl.cnf, which makes an authority of every certificate.
_REQUEST = "[req]\ndistinguished_name = name\n[name]\n"


class Authority:
    """A directory with the certificate of an authority, `ca.crt`, and what it has signed: for each
    name a `name.crt` and a `name.key`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "request.cnf").write_text(_REQUEST)
        self._make("ca", "basicConstraints=critical,CA:TRUE")

    def sign(self, name: str, alternative_names: str, usage: str = "serverAuth,clientAuth") -> None:
        self._make(name, f"subjectAltName={alternative_names}", f"extendedKeyUsage={usage}",
                   "basicConstraints=critical,CA:FALSE",
                   signer=["-CA", "ca.crt", "-CAkey", "ca.key"])

    def sign_itself(self, name: str, alternative_names: str) -> None:
        """The same, but signed by its own key."""
        self._make(name, f"subjectAltName={alternative_names}")

    def _make(self, name: str, *extensions: str, signer: list[str] | None = None) -> None:
        command = [require_tool("openssl"), "req", "-x509", "-config", "request.cnf",
                   "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                   "-keyout", f"{name}.new.key", "-out", f"{name}.new.crt",
                   "-subj", f"/CN={name}", "-days", "2", *(signer or [])]
        for extension in extensions:
            command += ["-addext", extension]
        subprocess.run(command, cwd=self.directory, check=True, capture_output=True, timeout=30)
        # Moved into place one by one, as a renewal does.
        for suffix in ("key", "crt"):
            (self.directory / f"{name}.new.{suffix}").rename(self.directory / f"{name}.{suffix}")

    def path(self, file: str) -> str:
        return str(self.directory / file)


def make_authority(directory: Path) -> Authority:
    """An authority with certificates for a server, a client, and a client that it does not know."""
    authority = Authority(directory)
    authority.sign("server", SERVER_NAMES)
    authority.sign("client", CLIENT_NAMES)
    authority.sign_itself("stranger", CLIENT_NAMES)
    return authority
