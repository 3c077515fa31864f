"""The families of the checks: blackbox_exporter's names, so that its dashboards and alerts load unedited.

Each series carries `instance` (the check's URL) and `job` (the check's name), as Grafana dashboards 7587 and 13659
and the blackbox mixin expect; whose site it is stands in `sentry_check_info`, to be joined on those two.
"""

PROBE_FAMILIES = {
    "probe_success": "Whether the last probe did its work (1) or not (0); absent while that is unknown.",
    "probe_duration_seconds": "How long the last probe took.",
    "probe_dns_lookup_time_seconds": "How long the name took to resolve.",
    "probe_ip_protocol": "IP version that the probe used, 4 or 6.",
    "probe_failed_addresses": "Addresses of the name that failed before one took the connection.",
    "probe_ip_addr_hash": "FNV-1a hash (32 bits) of the address that the probe used; a step means another address.",
    "probe_http_duration_seconds": "Time of an HTTP probe by phase, summed over redirects.",
    "probe_http_status_code": "Status code of the last answer.",
    "probe_http_content_length": "Content-Length header of the last answer, -1 where there was none.",
    "probe_http_uncompressed_body_length": "Bytes of the body after decoding.",
    "probe_http_redirects": "How many redirects were followed.",
    "probe_http_ssl": "Whether the last answer came over TLS.",
    "probe_http_version": "HTTP version of the last answer, e.g. 1.1.",
    "probe_http_last_modified_timestamp_seconds": "Last-Modified header of the last answer.",
    "probe_failed_due_to_regex": "Whether the probe failed because of what the body holds or lacks.",
    "probe_ssl_earliest_cert_expiry": "When the first certificate of the presented chain expires.",
    "probe_ssl_last_chain_expiry_timestamp_seconds": "When the verified chain expires.",
    "probe_ssl_last_chain_info": "The certificate that the site presented.",
    "probe_tls_version_info": "TLS version that was negotiated.",
    "probe_tls_cipher_info": "TLS cipher that was negotiated.",
    "probe_tls_rejudged": "1 where a doubtful short way made the standard library judge again, else absent.",
    "probe_dns_duration_seconds": "Time of a DNS probe by phase.",
    "probe_dns_answer_rrs": "Records in the answer section.",
    "probe_dns_authority_rrs": "Records in the authority section.",
    "probe_dns_additional_rrs": "Records in the additional section.",
    "probe_dns_query_succeeded": "Whether the query was answered.",
    "probe_dns_serial": "Serial number of the zone.",
    "probe_icmp_duration_seconds": "Time of an ICMP probe by phase.",
    "probe_icmp_reply_hop_limit": "Hop limit (TTL) of the reply.",
    "probe_icmp_packets_sent": "Echo requests sent.",
    "probe_icmp_packet_loss_ratio": "Share of the echo requests that went unanswered.",
    "probe_icmp_rtt_min_seconds": "Shortest round trip.",
    "probe_icmp_rtt_max_seconds": "Longest round trip.",
    "probe_heartbeat_age_seconds": "How long ago the watched job last called in.",
}
"""Family → help; the order of the table is the order on the page."""

CHECK_FAMILIES = {
    "sentry_check_info": "Whose check this is; join it on instance and job.",
    "sentry_check_down": "Whether a confirmed outage of the check stands.",
    "sentry_check_degraded": "Whether the check answers, but not as well as it should.",
    "sentry_check_state_since_timestamp_seconds": "When the check entered its state.",
    "sentry_last_run_age_seconds": "How long ago the last probe of the check ended; since its start where none has.",
}
"""What the agent itself says of a check."""

FURTHER_HELP = "A further figure of the probe."
"""Help of a value that a probe kind measures and the table above does not name."""
