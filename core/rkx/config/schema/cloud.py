"""``cloud_provider``: the keys of the providers that RKE knew; data, since none is left in Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from rkx.config.schema.marks import Flag, Key, RawMap, Text


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


class AwsKeys(msgspec.Struct, kw_only=True, eq=False):
    """``awsCloudProvider``."""

    global_: Annotated[RawMap, Key(name="global", table=AWS_GLOBAL)] = None
    service_override: RawMap = None


class OpenstackKeys(msgspec.Struct, kw_only=True, eq=False):
    """``openstackCloudProvider``."""

    global_: Annotated[RawMap, Key(name="global", table=OPENSTACK_GLOBAL)] = None
    load_balancer: Annotated[RawMap, Key(table=OPENSTACK_LOAD_BALANCER)] = None
    block_storage: Annotated[RawMap, Key(table=OPENSTACK_BLOCK_STORAGE)] = None
    route: Annotated[RawMap, Key(table=OPENSTACK_ROUTE)] = None
    metadata: Annotated[RawMap, Key(table=OPENSTACK_METADATA)] = None


class VsphereKeys(msgspec.Struct, kw_only=True, eq=False):
    """``vsphereCloudProvider``."""

    global_: Annotated[RawMap, Key(name="global", table=VSPHERE_GLOBAL)] = None
    virtual_center: Mapping[str, RawMap] | None = None
    network: Annotated[RawMap, Key(table=VSPHERE_NETWORK)] = None
    disk: Annotated[RawMap, Key(table=VSPHERE_DISK)] = None
    workspace: Annotated[RawMap, Key(table=VSPHERE_WORKSPACE)] = None


class HarvesterKeys(msgspec.Struct, kw_only=True, eq=False):
    """``harvesterCloudProvider``."""

    cloud_config: Text = None


class CloudKeys(msgspec.Struct, kw_only=True, eq=False):
    """``cloud_provider``; the maps stay readable, for clusters whose external controller reads its settings there."""

    name: Text = None
    use_instance_metadata_hostname: Annotated[Flag, Key(name="useInstanceMetadataHostname")] = None
    aws: Annotated[AwsKeys | None, Key(name="awsCloudProvider")] = None
    azure: Annotated[RawMap, Key(name="azureCloudProvider", table=AZURE)] = None
    openstack: Annotated[OpenstackKeys | None, Key(name="openstackCloudProvider")] = None
    vsphere: Annotated[VsphereKeys | None, Key(name="vsphereCloudProvider")] = None
    harvester: Annotated[HarvesterKeys | None, Key(name="harvesterCloudProvider")] = None
    custom: Annotated[Text, Key(name="customCloudProvider")] = None
