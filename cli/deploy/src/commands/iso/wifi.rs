//! The secret with the installer's Wi-Fi, decrypted here. It never is in Nix's store.

use zeroize::Zeroizing;

use crate::{
    args::IsoArgs,
    commands::secrets::show,
    error::{Failure, Result},
    iso::wifi,
    report::Report,
};

/// The secret that is taken if there is one, and none is named.
const USUAL: &str = "installer-wifi";

/// The connection for the image; `None` if it gets none. A note says why.
pub async fn wanted(args: &IsoArgs, report: &Report) -> Result<Option<Zeroizing<Vec<u8>>>> {
    if args.no_wifi {
        return Ok(None);
    }
    let name = args.wifi.as_deref().unwrap_or(USUAL);
    let rules = args.rules.for_secrets(args.showing.verbose);
    match show::text_of(name, &rules, &args.keys, report).await? {
        Some(text) => wifi::connection(&text).map(Some).map_err(|why| {
            Failure::unchanged(format!("the secret {name} is no Wi-Fi"))
                .because(why)
                .hint(Some(format!("deploy secrets edit {name}")))
        }),
        None if args.wifi.is_some() => Err(Failure::unchanged(format!("no rule is for `{name}`"))
            .hint(Some("docs/iso.md shows a rule; --no-wifi makes an image without".into()))),
        None => {
            report.note(&args.name, format!("no Wi-Fi: no rule is for {USUAL}"));
            Ok(None)
        }
    }
}
