# What Grafana is provisioned with. From github.com/grafana/grafana:
# pkg/services/provisioning/datasources/{types.go,config_reader.go} and
# pkg/services/provisioning/dashboards/{types.go,config_reader.go,file_reader.go}.
{ lib }:
let
  text = { type = "string"; };
  number = { type = "int"; };
  yes = { type = "bool"; };
  anything = { type = "any"; };
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
          fields = {
            name = text;
            type = text;
            uid = text // { matches = "[a-zA-Z0-9_-]{1,40}"; };
            access = text // {
              one = [
                "proxy"
                "direct"
              ];
            };
            url = text // { matches = "https?://.+"; };
            isDefault = yes;
            editable = yes;
            orgId = number;
            basicAuth = yes;
            basicAuthUser = text;
            withCredentials = yes;
            database = text;
            user = text;
            version = number;
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
          fields = {
            name = text;
            type = text // { one = [ "file" ]; };
            orgId = number;
            folder = text;
            folderUid = text;
            disableDeletion = yes;
            updateIntervalSeconds = number;
            allowUiUpdates = yes;
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
