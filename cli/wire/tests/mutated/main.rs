//! Damaged input: whatever is done to a document or a loader's file, reading it gives a value
//! or one clear error, never a panic. The changes are the same in every run.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod damage;
mod documents;
mod loaders;

/// How many damaged inputs are read of each file, by `scripts/test` and by `scripts/soak`.
const TIMES: usize = 10_000;
const MILLION: usize = 1_000_000;

/// Two tests of each function: one for every run, and one with a million inputs.
macro_rules! many_times {
    ($($few:ident, $many:ident => $read:path;)+) => {$(
        #[test]
        fn $few() {
            $read(TIMES);
        }

        #[test]
        #[ignore = "left to scripts/soak: a million inputs of each file take minutes"]
        fn $many() {
            $read(MILLION);
        }
    )+};
}

many_times! {
    a_damaged_machine_json_is_refused_or_read,
    a_million_damaged_machine_jsons_are_refused_or_read => documents::machine_json;

    a_damaged_record_is_refused_or_read,
    a_million_damaged_records_are_refused_or_read => documents::records;

    a_damaged_record_on_a_disk_is_refused,
    a_million_damaged_records_on_a_disk_are_refused => documents::records_on_disk;

    a_damaged_request_is_refused_or_read,
    a_million_damaged_requests_are_refused_or_read => documents::requests;

    a_damaged_reply_is_refused_or_read,
    a_million_damaged_replies_are_refused_or_read => documents::replies;

    a_damaged_grub_cfg_is_read_or_not_guessed_about,
    a_million_damaged_grub_cfgs_are_read_or_not_guessed_about => loaders::grub;

    a_damaged_extlinux_conf_is_read_or_not_guessed_about,
    a_million_damaged_extlinux_confs_are_read_or_not_guessed_about => loaders::extlinux;

    damaged_files_of_systemd_boot_are_read_or_not_guessed_about,
    a_million_damaged_files_of_systemd_boot_are_read_or_not_guessed_about => loaders::systemd_boot;
}
