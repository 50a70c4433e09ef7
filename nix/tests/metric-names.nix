# The metrics of the exporters here, each group with its source.
{
  # nixpkgs builds it from github.com/prometheus/node_exporter: collector/cpu_linux.go, meminfo.go,
  # filesystem_common.go, netdev_common.go, diskstats_common.go, loadavg.go, systemd_linux.go,
  # uname.go
  node = [
    "node_cpu_seconds_total"
    "node_disk_io_time_seconds_total"
    "node_filesystem_avail_bytes"
    "node_filesystem_size_bytes"
    "node_load1"
    "node_load15"
    "node_load5"
    "node_memory_MemAvailable_bytes"
    "node_memory_MemTotal_bytes"
    "node_network_receive_bytes_total"
    "node_network_transmit_bytes_total"
    "node_systemd_unit_state"
    "node_uname_info"
  ];

  # github.com/caddyserver/caddy: modules/caddyhttp/metrics.go
  proxy = [
    "caddy_http_request_duration_seconds_bucket"
    "caddy_http_request_duration_seconds_count"
    "caddy_http_request_duration_seconds_sum"
    "caddy_http_request_errors_total"
    "caddy_http_requests_in_flight"
    "caddy_http_requests_total"
  ];

  # modules/services/restic/verify.nix, upkeep.nix, drill.nix
  backups = [
    "homelab_backup_check_last_success_timestamp_seconds"
    "homelab_backup_last_success_timestamp_seconds"
    "homelab_restore_drill_last_success_timestamp_seconds"
  ];

  # modules/deploy/metrics.sh
  deploys = [
    "homelab_deploy_attempts"
    "homelab_deploy_last_confirmed_timestamp_seconds"
  ];

  # github.com/grafana/alloy: internal/runtime/alloy_services.go and its metrics page
  alloy = [ "alloy_config_last_load_successful" ];

  # Every scrape has this metric.
  scrape = [ "up" ];
}
