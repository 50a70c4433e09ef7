use std::os::unix::fs::symlink;

use rustix::{fs::Mode, process::umask};

use super::*;

fn mode(of: &Path) -> u32 {
    fs::symlink_metadata(of).unwrap().mode() & 0o7777
}

fn with_mode(folder: &Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
}

/// One test for both kinds of folders, because the umask belongs to the whole process.
#[test]
fn a_folder_of_a_run_is_the_users_alone_whatever_the_umask() {
    let base = tempfile::tempdir().unwrap();
    let before = umask(Mode::empty());
    let open = (make_in(base.path()), private_below(base.path(), &["deploy", "a"]));
    umask(Mode::from_bits_truncate(0o277));
    let closed = (make_in(base.path()), private_below(base.path(), &["deploy", "b"]));
    umask(before);
    for (run, kept) in [open, closed] {
        assert_eq!(mode(run.unwrap().path()), 0o700);
        assert_eq!(mode(&kept.unwrap()), 0o700);
    }
    assert_eq!(mode(&base.path().join("deploy")), 0o700);
}

#[test]
fn what_an_older_umask_left_open_is_closed() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("deploy");
    fs::create_dir(&folder).unwrap();
    with_mode(&folder, 0o777);
    private_below(base.path(), &["deploy"]).unwrap();
    assert_eq!(mode(&folder), 0o700);
}

#[test]
fn a_folder_in_which_others_can_rename_is_refused() {
    let base = tempfile::tempdir().unwrap();
    with_mode(base.path(), 0o777);
    let refused = make_in(base.path()).unwrap_err().to_string();
    assert!(refused.contains("others can rename what is in it"), "{refused}");
    let kept = || private_below(base.path(), &["deploy", "x"]);
    kept().unwrap_err();
    with_mode(base.path(), 0o1777);
    make_in(base.path()).unwrap();
    kept().unwrap();
}

#[test]
fn a_link_in_place_of_a_kept_folder_is_not_followed() {
    let (base, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    symlink(elsewhere.path(), base.path().join("deploy")).unwrap();
    private_below(base.path(), &["deploy", "evaluations"]).unwrap_err();
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// Only root can give a folder to another user.
#[test]
fn root_with_the_home_of_another_user_keeps_nothing_there() {
    if !geteuid().is_root() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(home.path(), Some(65534), None).unwrap();
    let refused = private_below(&home.path().join(".cache"), &["deploy", "x"]).unwrap_err();
    assert!(refused.to_string().contains("is of user 65534"), "{refused}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_runtime_folder_that_others_can_enter_or_whose_path_is_too_long_is_not_taken() {
    let base = tempfile::tempdir().unwrap();
    with_mode(base.path(), 0o700);
    assert!(is_runtime(base.path()));
    with_mode(base.path(), 0o755);
    assert!(!is_runtime(base.path()));
    with_mode(base.path(), 0o700);
    let long = base.path().join("x".repeat(LONGEST));
    fs::create_dir(&long).unwrap();
    with_mode(&long, 0o700);
    assert!(!is_runtime(&long));
    assert_eq!(absolute("run/user".into()), None);
}
