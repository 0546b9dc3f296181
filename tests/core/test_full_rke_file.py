"""A file with every key that `rke config` writes goes through, with a warning where rkx does less than RKE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from rkx import api
from rkx.config.schema.addons import DnsKeys, IngressKeys, MonitoringKeys, NodelocalKeys
from rkx.config.schema.images import IMAGES
from rkx.config.schema.marks import slots
from rkx.config.schema.services import BackupKeys, EtcdKeys, KubeApiKeys, KubeletKeys, S3Keys
from rkx.config.schema.top import ClusterKeys

FILE = Path(__file__).parent / "fixtures" / "full-rke.yml"
OURS = {"addon_plugins", "extensions", "image_layout", "ssh", "transport", "transport_options", "state", "profile"}
OURS |= {"accept_risk"}
OLDER = {"service_options", "template", "addon_job_retries", "s3_backup_config", "ipaddress"}
"""Keys that RKE reads, or once read, and never writes."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the file to where its key is: ``~/.ssh/id_rsa``."""
    key = tmp_path / ".ssh" / "id_rsa"
    key.parent.mkdir()
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    key.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*encoding))
    key.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    copy = tmp_path / "cluster.yml"
    copy.write_bytes(FILE.read_bytes())
    return copy


def test_every_key_that_rke_writes_is_in_the_file() -> None:
    written: dict[str, Any] = yaml.safe_load(FILE.read_text())
    services, dns = written["services"], written["dns"]
    pairs = [
        (ClusterKeys, written),
        (EtcdKeys, services["etcd"]),
        (BackupKeys, services["etcd"]["backup_config"]),
        (S3Keys, services["etcd"]["backup_config"]["s3backupconfig"]),
        (KubeApiKeys, services["kube-api"]),
        (KubeletKeys, services["kubelet"]),
        (IngressKeys, written["ingress"]),
        (MonitoringKeys, written["monitoring"]),
        (DnsKeys, dns),
        (NodelocalKeys, dns["nodelocal"]),
    ]
    for owner, mapping in pairs:
        assert set(slots(owner)) - OURS - OLDER == set(mapping), owner
    assert set(IMAGES) <= set(written["system_images"])


def test_rkes_own_file_loads_and_what_has_no_effect_is_a_warning(file: Path) -> None:
    project = api.load(file)
    [node] = project.cluster.nodes
    assert (node.transport_options["port"], node.transport_options["user"]) == (22, "ubuntu")
    assert [(warning.line, warning.where) for warning in project.warnings] == [
        (0, ""),  # no ingress is bundled
        (38, "services.etcd.snapshot"),
        (39, "services.etcd.retention"),
        (40, "services.etcd.creation"),
        (41, "services.etcd.backup_config"),
        (110, "services.kubelet.generate_serving_certificate"),
        (249, "dns.linear_autoscaler_params"),
        (255, "dns.nodelocal"),
    ]
    assert {warning.message for warning in project.warnings[1:]} == {"rkx does not act on this yet"}
