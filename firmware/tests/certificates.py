"""Certificate authorities and certificates, made for one test."""

import base64
import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FIRST_DAY = dt.datetime(2000, 1, 1)  # noqa: DTZ001  of a board that does not know the time
LAST_DAY = dt.datetime(2049, 12, 31)  # noqa: DTZ001


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Authority:
    """Signs what it is asked to."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign("Test CA", self.key, FIRST_DAY, LAST_DAY, x509.BasicConstraints(True, None))
        self.base64 = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()

    def issue(self, file: Path, names: list[str], first=FIRST_DAY, last=LAST_DAY, common: str = "broker") -> Path:
        """Certificate and key of a server with those names, in one PEM file."""
        key = ec.generate_private_key(ec.SECP256R1())
        also = [x509.SubjectAlternativeName([alternative(name) for name in names])] if names else []
        certificate = self._sign(common, key, first, last, x509.BasicConstraints(False, None), *also)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        shape = serialization.PrivateFormat.PKCS8
        pem += key.private_bytes(serialization.Encoding.PEM, shape, serialization.NoEncryption())
        file.write_bytes(pem)
        return file

    def _sign(self, common, key, first, last, *extensions) -> x509.Certificate:
        number = x509.random_serial_number()
        builder = x509.CertificateBuilder(named("Test CA"), named(common), key.public_key(), number, first, last)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())
