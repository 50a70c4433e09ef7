# What Grafana is provisioned with. From github.com/grafana/grafana:
# pkg/services/provisioning/datasources/{types.go,config_reader.go} and
# pkg/services/provisioning/dashboards/{types.go,config_reader.go,file_reader.go}.
{ lib, kinds }:
let
  inherit (kinds) text number yes anything each;
  apiVersion = number // { one = [ 1 ]; };
in
{
  datasources = {
    required = [ "apiVersion" ];
    fields = {
      inherit apiVersion;
      prune = yes;
      deleteDatasources.items = {
        required = [
          "name"
          "orgId"
        ];
        fields = {
          name = text;
          orgId = number;
        };
      };
      datasources = {
        items = {
          required = [
            "name"
            "type"
            "access"
          ];
          fields =
            each text [ "name" "type" "basicAuthUser" "database" "user" ]
            // each yes [ "isDefault" "editable" "basicAuth" "withCredentials" ]
            // each number [ "orgId" "version" ]
            // {
              uid = text // { matches = "[a-zA-Z0-9_-]{1,40}"; };
              access = text // {
                one = [
                  "proxy"
                  "direct"
                ];
              };
              url = text // { matches = "https?://.+"; };
              jsonData.values = anything;
              secureJsonData.values = text;
            };
        };
        rules = [
          (
            sources:
            lib.optional (lib.length (lib.filter (source: source.isDefault or false) sources) > 1)
              "one data source can be the default"
          )
          (
            sources:
            lib.optional (
              lib.length (lib.unique (map (source: source.name) sources)) != lib.length sources
            ) "two data sources have one name"
          )
        ];
      };
    };
  };

  dashboards = {
    required = [
      "apiVersion"
      "providers"
    ];
    fields = {
      inherit apiVersion;
      providers = {
        items = {
          required = [
            "name"
            "type"
            "options"
          ];
          fields =
            each text [ "name" "folder" "folderUid" ]
            // each number [ "orgId" "updateIntervalSeconds" ]
            // each yes [ "disableDeletion" "allowUiUpdates" ]
            // {
              type = text // { one = [ "file" ]; };
              options = {
                required = [ "path" ];
                fields = {
                  path = text;
                  foldersFromFilesStructure = yes;
                };
              };
            };
        };
      };
    };
  };
}
