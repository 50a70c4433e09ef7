//! Profiles besides the system: their links and what these name.

use std::{fs, path::Path};

use deploy_wire::{
    machine::Profile,
    outcome::End,
    record::{ProfileChange, ProfileGeneration, Record},
    store_path::StorePath,
};

use crate::{storage::paths::PROFILE, tools::user::User};

const PROFILES: &str = "/nix/var/nix/profiles";

/// The link of a user's profile, where deploy-rs puts it.
pub fn link(profile: &Profile, user: &User) -> String {
    profile.profile_path.clone().unwrap_or_else(|| default_link(&profile.name, user))
}

/// The link's default path, if the flake does not set one.
pub fn default_link(name: &str, user: &User) -> String {
    let folder = format!("{PROFILES}/per-user/{}", user.name);
    if user.name == "root" || Path::new(&folder).is_dir() {
        return format!("{folder}/{name}");
    }
    format!("{}/.local/state/nix/profiles/{name}", user.home)
}

/// Whether a link is the system profile, by any path.
pub fn is_the_system(link: &str) -> bool {
    let link = Path::new(link);
    let folder = link.parent().and_then(|folder| folder.canonicalize().ok());
    folder
        .zip(link.file_name())
        .is_some_and(|(folder, name)| folder.join(name) == Path::new(PROFILE))
}

/// What a link names: `home -> home-3-link -> /nix/store/…`.
pub fn look(link: &str) -> ProfileGeneration {
    let link = Path::new(link);
    let Ok(target) = fs::read_link(link) else { return ProfileGeneration::default() };
    let store_path = |path: &Path| StorePath::parse(&path.to_string_lossy()).ok();
    if let Some(path) = store_path(&target) {
        return ProfileGeneration { number: None, path: Some(path) };
    }
    let name = link.file_name().unwrap_or_default().to_string_lossy();
    let generation = target.file_name().unwrap_or_default().to_string_lossy();
    let number = generation
        .strip_prefix(&*name)
        .and_then(|rest| rest.strip_prefix('-')?.strip_suffix("-link")?.parse().ok());
    let generation = link.parent().unwrap_or(Path::new("/")).join(target);
    let path = fs::read_link(generation).ok().and_then(|path| store_path(&path));
    ProfileGeneration { number, path }
}

/// The notes on profiles that are kept. They have no checks of their own.
pub fn describe_kept(record: &Record) -> Vec<String> {
    record
        .profiles
        .iter()
        .map(|profile| format!("{profile} is activated; it has no health checks"))
        .collect()
}

/// The notes on profiles at an end that leaves them as they are.
pub fn describe_left(record: &Record, end: End) -> Vec<String> {
    let begun = record.profiles.iter().filter(|profile| profile.begun && end == End::TakenOver);
    begun.map(|profile| format!("{profile} was activated, and is not confirmed")).collect()
}

/// The notes on profiles whose links are set back while the activation stays in effect.
pub fn describe_not_taken_back(record: &Record) -> Vec<String> {
    let begun = record.profiles.iter().filter(|profile| profile.begun);
    begun
        .map(|profile| {
            let link = if is_as_before(profile) { "names what it named before" } else { "stays" };
            format!("the link of {profile} {link}; what its activation did is not undone")
        })
        .collect()
}

/// Whether a profile names what it named at `stage`.
pub fn is_as_before(profile: &ProfileChange) -> bool {
    profile.link.as_ref().is_none_or(|link| look(link).path == profile.before.path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const PATH: &str = "/nix/store/11111111111111111111111111111111-home";

    #[test]
    fn a_link_is_read_with_its_generation() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("home");
        let name = link.to_str().unwrap();
        assert_eq!(look(name), ProfileGeneration::default());
        symlink(PATH, folder.path().join("home-12-link")).unwrap();
        symlink("home-12-link", &link).unwrap();
        let path = StorePath::parse(PATH).ok();
        assert_eq!(look(name), ProfileGeneration { number: Some(12), path: path.clone() });
        fs::remove_file(&link).unwrap();
        symlink(PATH, &link).unwrap();
        assert_eq!(look(name), ProfileGeneration { number: None, path });
    }

    #[test]
    fn the_place_is_deploy_rs_s() {
        let user = |name: &str| User {
            name: name.into(),
            uid: 1,
            gid: 1,
            home: format!("/home/{name}"),
            shell: "/bin/sh".into(),
        };
        assert_eq!(default_link("a", &user("root")), "/nix/var/nix/profiles/per-user/root/a");
        assert_eq!(
            default_link("home", &user("no-such-user")),
            "/home/no-such-user/.local/state/nix/profiles/home"
        );
    }
}
