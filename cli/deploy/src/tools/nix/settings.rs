//! Nix's settings on this computer, from `nix.conf`, `NIX_CONFIG` and the user's arguments.

use serde_json::Value;

use super::{Nix, NixError, build_args, common_args, failed, json};

/// The settings that matter for evaluations and builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The platforms that this computer builds for.
    pub systems: Vec<String>,
    /// How many builds run here at once; 0 means none.
    pub jobs: u64,
    /// `builders`: the lines, or `@` and the name of their file.
    pub builders: String,
    /// Whether evaluations see only the flake.
    pub purity: Purity,
    /// `accept-flake-config`: whether a flake's `nixConfig` is used without a question.
    pub accepts_flake_config: bool,
}

/// Whether an evaluation of the same flake always has the same result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purity {
    /// It always has.
    Pure,
    /// The environment, files, the time or programs may change the result.
    PerhapsImpure,
}

impl Nix {
    /// The settings. They are read once.
    pub async fn settings(&self) -> Result<&Settings, NixError> {
        self.settings.get_or_try_init(|| self.read_settings()).await
    }

    async fn read_settings(&self) -> Result<Settings, NixError> {
        // Nix up to 2.19 knows only the second name. Later versions warn about it, and that warning
        // is not shown.
        let named = self.show_settings(&["config", "show", "--json"]).await;
        let output = match named {
            Ok(output) => output,
            Err(error) => {
                self.show_settings(&["show-config", "--json"]).await.map_err(|_| error)?
            }
        };
        Ok(read(&json("nix config show", &output)?, &self.user_args))
    }

    async fn show_settings(&self, words: &[&str]) -> Result<Vec<u8>, NixError> {
        let command = self.invocation(words).args(common_args(&self.user_args));
        command.output().await.map_err(failed)
    }

    /// The settings for builds: the flake's, and after them the user's, which take precedence.
    pub(super) fn build_settings(&self) -> Vec<String> {
        let flake = self.flake_settings.iter();
        let mut args: Vec<String> = flake
            .flat_map(|(name, value)| ["--option".to_owned(), name.clone(), value.clone()])
            .collect();
        args.extend(build_args(&self.user_args));
        args
    }
}

fn read(json: &Value, user_args: &[String]) -> Settings {
    let value = |name: &str| &json[name]["value"];
    let extra = value("extra-platforms").as_array().into_iter().flatten();
    let systems = std::iter::once(value("system")).chain(extra);
    // `pure-eval` does not stop programs that the evaluation starts.
    let is_pure = value("pure-eval") == true
        && value("allow-unsafe-native-code-during-evaluation") != true
        && !super::arguments::ask_for_impurity(user_args);
    Settings {
        systems: systems.filter_map(|system| system.as_str().map(str::to_owned)).collect(),
        jobs: value("max-jobs").as_u64().unwrap_or(1),
        builders: value("builders").as_str().unwrap_or_default().to_owned(),
        purity: if is_pure { Purity::Pure } else { Purity::PerhapsImpure },
        accepts_flake_config: value("accept-flake-config") == true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_evaluation_is_pure_only_where_nix_says_so() {
        let purity = |settings: Value, args: &[&str]| {
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            read(&settings, &args).purity
        };
        let pure = json!({ "pure-eval": { "value": true } });
        assert_eq!(purity(pure.clone(), &["--refresh"]), Purity::Pure);
        for (settings, args) in [
            (pure, ["--impure"].as_slice()),
            (json!({ "pure-eval": { "value": false } }), &[]),
            (json!({}), &[]),
            (
                json!({
                    "pure-eval": { "value": true },
                    "allow-unsafe-native-code-during-evaluation": { "value": true },
                }),
                &[],
            ),
        ] {
            assert_eq!(
                purity(settings.clone(), args),
                Purity::PerhapsImpure,
                "{settings} {args:?}"
            );
        }
    }
}
