# Loki's configuration, as far as one program with files on a disk uses it. From
# github.com/grafana/loki: docs/sources/shared/configuration.md (fields),
# pkg/compactor/config.go and pkg/loki/validation.go (rules).
{ lib }:
let
  text = { type = "string"; };
  number = { type = "int"; };
  yes = { type = "bool"; };
  # Go's durations know no days.
  duration = {
    type = "string";
    matches = "([0-9]+(ns|us|ms|s|m|h))+";
  };
  map' = fields: { inherit fields; };
in
{
  fields = {
    target = text;
    auth_enabled = yes;
    analytics = map' {
      reporting_enabled = yes;
      usage_stats_url = text;
      proxy_url = text;
    };
    server = map' {
      http_listen_address = text;
      http_listen_port = number;
      grpc_listen_address = text;
      grpc_listen_port = number;
      log_level = text // {
        one = [
          "debug"
          "info"
          "warn"
          "error"
        ];
      };
      log_format = text;
      http_server_read_timeout = duration;
      http_server_write_timeout = duration;
      http_path_prefix = text;
    };
    common = map' {
      path_prefix = text;
      replication_factor = number;
      instance_addr = text;
      compactor_address = text;
      storage = map' {
        filesystem = map' {
          chunks_directory = text;
          rules_directory = text;
        };
      };
      ring = map' {
        instance_addr = text;
        kvstore = map' {
          store = text // {
            one = [
              "consul"
              "etcd"
              "inmemory"
              "memberlist"
              "multi"
            ];
          };
          prefix = text;
        };
      };
    };
    schema_config = map' {
      configs.items = {
        required = [
          "from"
          "store"
          "object_store"
          "schema"
        ];
        fields = {
          from = text // { matches = "[0-9]{4}-[0-9]{2}-[0-9]{2}"; };
          store = text // {
            one = [
              "tsdb"
              "boltdb-shipper"
            ];
          };
          object_store = text;
          schema = text // {
            one = [
              "v11"
              "v12"
              "v13"
            ];
          };
          index = map' {
            path_prefix = text;
            prefix = text;
            period = duration;
          };
        };
      };
    };
    limits_config = map' {
      retention_period = duration;
      reject_old_samples = yes;
      reject_old_samples_max_age = duration;
      allow_structured_metadata = yes;
      volume_enabled = yes;
      ingestion_rate_mb = number;
      ingestion_burst_size_mb = number;
      max_global_streams_per_user = number;
      discover_service_name.items = text;
    };
    compactor = {
      fields = {
        working_directory = text;
        compaction_interval = duration;
        retention_enabled = yes;
        retention_delete_delay = duration;
        delete_request_store = text;
      };
      rules = [
        (
          compactor:
          lib.optional (
            compactor.retention_enabled or false && compactor.delete_request_store or "" == ""
          ) "delete_request_store must be set when retention is enabled"
        )
      ];
    };
  };

  rules = [
    (
      file:
      let
        last = lib.last (file.schema_config.configs);
      in
      lib.optional (
        file.limits_config.allow_structured_metadata or true
        && (last.schema != "v13" || last.store != "tsdb")
      ) "structured metadata needs tsdb with schema v13"
      ++ lib.optional (
        (file.compactor or { }).retention_enabled or false && last.index.period or "" != "24h"
      ) "retention needs an index of 24h"
    )
  ];
}
