"""``cloud_provider``: the keys of the providers that RKE knew; data, since none is left in Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rkx.config.schema.marks import Flag, RawMap, Text, mark


def _keys(names: str) -> Mapping[str, Any]:
    """Make a table of keys with any value: RKE wrote them to the provider's file as they are."""
    return MappingProxyType(dict.fromkeys(names.split(), Any))


AWS_GLOBAL = _keys(
    """zone vpc subnet-id routetable-id role-arn kubernetes-cluster-tag kubernetes-cluster-id
    disable-security-group-ingress elb-security-group disable-strict-zone-check"""
)
AZURE = _keys(
    """cloud tenantId subscriptionId resourceGroup location vnetName vnetResourceGroup subnetName securityGroupName
    securityGroupResourceGroup routeTableName primaryAvailabilitySetName vmType primaryScaleSetName aadClientId
    aadClientSecret aadClientCertPath aadClientCertPassword cloudProviderBackoff cloudProviderBackoffRetries
    cloudProviderBackoffExponent cloudProviderBackoffDuration cloudProviderBackoffJitter cloudProviderRateLimit
    cloudProviderRateLimitQPS cloudProviderRateLimitBucket useInstanceMetadata useManagedIdentityExtension
    userAssignedIdentityID maximumLoadBalancerRuleCount loadBalancerSku excludeMasterFromStandardLB tags"""
)
OPENSTACK_GLOBAL = _keys(
    """auth-url username user-id password tenant-id tenant-name trust-id domain-id domain-name region ca-file"""
)
OPENSTACK_LOAD_BALANCER = _keys(
    """lb-version use-octavia subnet-id floating-network-id lb-method lb-provider create-monitor monitor-delay
    monitor-timeout monitor-max-retries manage-security-groups"""
)
OPENSTACK_BLOCK_STORAGE = _keys("""bs-version trust-device-path ignore-volume-az""")
OPENSTACK_ROUTE = _keys("""router-id""")
OPENSTACK_METADATA = _keys("""search-order request-timeout""")
VSPHERE_GLOBAL = _keys(
    """user password server port insecure-flag datacenter datacenters datastore working-dir soap-roundtrip-count
    vm-uuid vm-name"""
)
VSPHERE_CENTER = _keys("""user password port datacenters soap-roundtrip-count""")
VSPHERE_NETWORK = _keys("""public-network""")
VSPHERE_DISK = _keys("""scsicontrollertype""")
VSPHERE_WORKSPACE = _keys("""server datacenter folder default-datastore resourcepool-path""")


@dataclass(kw_only=True, eq=False, repr=False)
class AwsKeys:
    """``awsCloudProvider``."""

    global_: RawMap = mark("global", table=AWS_GLOBAL)
    service_override: RawMap = None


@dataclass(kw_only=True, eq=False, repr=False)
class OpenstackKeys:
    """``openstackCloudProvider``."""

    global_: RawMap = mark("global", table=OPENSTACK_GLOBAL)
    load_balancer: RawMap = mark(table=OPENSTACK_LOAD_BALANCER)
    block_storage: RawMap = mark(table=OPENSTACK_BLOCK_STORAGE)
    route: RawMap = mark(table=OPENSTACK_ROUTE)
    metadata: RawMap = mark(table=OPENSTACK_METADATA)


@dataclass(kw_only=True, eq=False, repr=False)
class VsphereKeys:
    """``vsphereCloudProvider``."""

    global_: RawMap = mark("global", table=VSPHERE_GLOBAL)
    virtual_center: Mapping[str, RawMap] | None = None
    network: RawMap = mark(table=VSPHERE_NETWORK)
    disk: RawMap = mark(table=VSPHERE_DISK)
    workspace: RawMap = mark(table=VSPHERE_WORKSPACE)


@dataclass(kw_only=True, eq=False, repr=False)
class HarvesterKeys:
    """``harvesterCloudProvider``."""

    cloud_config: Text = None


@dataclass(kw_only=True, eq=False, repr=False)
class CloudKeys:
    """``cloud_provider``; the maps stay readable, for clusters whose external controller reads its settings there."""

    name: Text = None
    use_instance_metadata_hostname: Flag = mark("useInstanceMetadataHostname")
    aws: AwsKeys | None = mark("awsCloudProvider")
    azure: RawMap = mark("azureCloudProvider", table=AZURE)
    openstack: OpenstackKeys | None = mark("openstackCloudProvider")
    vsphere: VsphereKeys | None = mark("vsphereCloudProvider")
    harvester: HarvesterKeys | None = mark("harvesterCloudProvider")
    custom: Text = mark("customCloudProvider")
