# Loki's configuration, as far as a single program with files on a disk uses it. From
# github.com/grafana/loki: docs/sources/shared/configuration.md (fields), pkg/compactor/config.go
# and pkg/loki/validation.go (rules).
{ lib, kinds }:
let
  inherit (kinds) text number yes each;
  oneOf = values: text // { one = values; };
  # Go's durations have no days.
  duration = text // { matches = "([0-9]+(ns|us|ms|s|m|h))+"; };
  block = fields: { inherit fields; };

  period = {
    required = [
      "from"
      "store"
      "object_store"
      "schema"
    ];
    fields = {
      from = text // { matches = "[0-9]{4}-[0-9]{2}-[0-9]{2}"; };
      store = oneOf [
        "tsdb"
        "boltdb-shipper"
      ];
      object_store = text;
      schema = oneOf [
        "v11"
        "v12"
        "v13"
      ];
      index = block (each text [ "path_prefix" "prefix" ] // { period = duration; });
    };
  };

  ring = block {
    instance_addr = text;
    kvstore = block {
      prefix = text;
      store = oneOf [
        "consul"
        "etcd"
        "inmemory"
        "memberlist"
        "multi"
      ];
    };
  };
in
{
  fields = {
    target = text;
    auth_enabled = yes;
    analytics = block (each text [ "usage_stats_url" "proxy_url" ] // { reporting_enabled = yes; });
    server = block (
      each text [ "http_listen_address" "grpc_listen_address" "log_format" "http_path_prefix" ]
      // each number [ "http_listen_port" "grpc_listen_port" ]
      // each duration [ "http_server_read_timeout" "http_server_write_timeout" ]
      // {
        log_level = oneOf [
          "debug"
          "info"
          "warn"
          "error"
        ];
      }
    );
    common = block (
      each text [ "path_prefix" "instance_addr" "compactor_address" ]
      // {
        replication_factor = number;
        storage = block { filesystem = block (each text [ "chunks_directory" "rules_directory" ]); };
        inherit ring;
      }
    );
    schema_config = block { configs.items = period; };
    limits_config = block (
      each duration [ "retention_period" "reject_old_samples_max_age" ]
      // each yes [ "reject_old_samples" "allow_structured_metadata" "volume_enabled" ]
      // each number [ "ingestion_rate_mb" "ingestion_burst_size_mb" "max_global_streams_per_user" ]
      // {
        deletion_mode = oneOf [
          "disabled"
          "filter-only"
          "filter-and-delete"
        ];
      }
      // { discover_service_name.items = text; }
    );
    compactor = {
      fields =
        each text [ "working_directory" "delete_request_store" ]
        // each duration [ "compaction_interval" "retention_delete_delay" ]
        // { retention_enabled = yes; };
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
