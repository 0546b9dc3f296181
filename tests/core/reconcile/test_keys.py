"""What core's own keys and the certificates for them are, as a first run leaves them in the state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.core.reconcile.small import Site

import rkx


@pytest.mark.whole
def test_every_key_is_p_256_in_the_form_that_the_api_server_reads(site: Site) -> None:
    site.done()
    keys = [c.parts["key"].reveal() for c in site.state.credentials.values() if "key" in c.parts]
    assert len(set(keys)) == 8
    for pem in keys:
        assert pem.startswith(b"-----BEGIN EC PRIVATE KEY-----")
        key = load_pem_private_key(pem, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert isinstance(key.curve, ec.SECP256R1)


@pytest.mark.whole
def test_certificates_live_for_three_years_and_authorities_for_ten(site: Site) -> None:
    site.done()
    lives = {}
    for name, credential in site.state.credentials.items():
        saved = credential.saved
        if saved.not_after and saved.not_before:
            lives[name] = saved.not_after - saved.not_before
    early = timedelta(minutes=5)  # for clocks that are slow
    assert lives[rkx.identity.KUBERNETES_CA] == timedelta(days=3650) + early
    assert lives["server"] == lives[rkx.identity.ADMIN] == timedelta(days=1095) + early
