"""The keys of ``network.aci_network_provider``: data for whoever writes that network."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rkx.secret import Secret

TEXTS = """
system_id apic_user_name apic_user_crt encap_type mcast_range_start mcast_range_end node_subnet aep vrf_name
vrf_tenant l3out extern_dynamic extern_static node_svc_subnet kube_api_vlan service_vlan infra_vlan ep_registry
opflex_mode use_host_netns_volume use_opflex_server_volume subnet_domain_name kafka_client_crt capic
use_aci_anywhere_crd overlay_vrf_name gbp_pod_subnet run_gbp_container run_opflex_server_container
opflex_server_port pbr_tracking_non_snat install_istio use_aci_cni_priority_class no_priority_class
enable_endpoint_slice use_privileged_container disable_wait_for_network disable_periodic_snat_global_info_sync
node_pod_if_enable sriov_enable no_wait_for_service_ep_readiness add_external_subnets_to_rdconfig hpp_optimization
opflex_agent_opflex_asyncjson_enabled opflex_agent_ovs_asyncjson_enabled aci_multipod aci_multipod_ubuntu
use_system_node_priority_class add_external_contract_to_default_epg enable_opflex_agent_reconnect
opflex_openssl_compat disable_hpp_rendering taint_not_ready_node drop_log_disable_events opflex_startup_enabled
opflex_startup_resolve_aft_conn enable_hpp_direct drop_log_enable opflex_client_ssl multus_disable use_cluster_role
opflex_agent_statistics apic_refresh_time service_monitor_interval max_nodes_svc_graph pod_subnet_chunk_size
snat_port_range_start snat_port_range_end snat_ports_per_node duration_wait_for_network
opflex_agent_policy_retry_delay_timer toleration_seconds apic_connection_retry_limit opflex_startup_policy_duration
opflex_switch_sync_delay opflex_switch_sync_dynamic apic_subscription_delay apic_refresh_ticker_adjust
opflex_device_delete_timeout mtu_head_room service_graph_endpoint_add_delay sleep_time_snat_global_info_sync
dhcp_renew_max_retry_count dhcp_delay ovs_memory_limit ovs_memory_request aci_containers_memory_limit
aci_containers_memory_request image_pull_policy istio_profile controller_log_level host_agent_log_level
opflex_log_level snat_contract_scope snat_namespace vmm_domain vmm_controller tenant image_pull_secret
opflex_device_reconnect_wait_timeout opflex_agent_reset_wait_delay unknown_mac_unicast_action
aci_containers_controller_memory_request aci_containers_controller_memory_limit aci_containers_host_memory_request
aci_containers_host_memory_limit mcast_daemon_memory_request mcast_daemon_memory_limit opflex_agent_memory_request
opflex_agent_memory_limit
"""

ACI: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(TEXTS.split(), str),
        **dict.fromkeys(("apic_hosts", "kafka_brokers", "l3out_external_networks"), tuple[str, ...]),
        **dict.fromkeys(("node_snat_redirect_exclude", "service_graph_endpoint_add_services"), Any),
        **dict.fromkeys(("apic_user_key", "kafka_client_key", "token"), Secret[str]),
    }
)
"""Key to type; RKE takes texts even for numbers and truth values."""
