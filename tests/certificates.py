"""Certificate authorities of the tests' own, and servers' certificates signed by them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """One that signs; `pem` is what its believers keep."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str = "test authority") -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _called(name)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        signing = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = _builder(subject, subject, key.public_key()).add_extension(constraints, critical=True)
        builder = builder.add_extension(signing, critical=True).add_extension(own, critical=False)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def make_as_elasticsearch(cls) -> Authority:
        """Return one as Elasticsearch 8.0 to 8.17 makes it at its first start: without a key usage."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _called("Elasticsearch security auto-configuration HTTP CA")
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = _builder(subject, subject, key.public_key()).add_extension(own, critical=False)
        builder = builder.add_extension(signer, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, folder: Path, *, host: str = "127.0.0.1") -> tuple[Path, Path]:
        """Write `server.crt` and `server.key` (PKCS#8) for a host name or address into `folder`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _called("server")
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        builder = _builder(subject, self.certificate.subject, key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(signer, critical=False)
        issued = builder.sign(self.key, hashes.SHA256())
        folder.mkdir(parents=True, exist_ok=True)
        certificate_path, key_path = folder / "server.crt", folder / "server.key"
        certificate_path.write_bytes(issued.public_bytes(serialization.Encoding.PEM) + self.pem)
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate_path, key_path

    def server_context(self, folder: Path, *, host: str = "127.0.0.1") -> ssl.SSLContext:
        """A server's context with a fresh certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.issue(folder, host=host))
        return context

    def demanding_context(self, folder: Path, *, host: str = "127.0.0.1") -> ssl.SSLContext:
        """As above, of a server that serves nobody without a certificate that this authority signed."""
        context = self.server_context(folder, host=host)
        context.load_verify_locations(cadata=self.pem.decode())
        context.verify_mode = ssl.CERT_REQUIRED
        # Here refusing is part of the handshake; later versions may hang up before the alert is read.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
