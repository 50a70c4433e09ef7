//! This computer in place of a machine, with any program as its agent, for tests.

use std::{fs, io, os::unix::fs::PermissionsExt};

use deploy_wire::{machine::Machine, record::Record};
use serde_json::json;
use tempfile::TempDir;

use super::Probed;
use crate::tools::{
    answer::Answer,
    place::Place,
    ssh::{Escalation, Options},
};

/// A machine that was asked, and an attempt on it.
pub struct Here {
    pub probed: Probed,
    pub record: Record,
    _folder: TempDir,
}

impl Here {
    /// A machine whose sudo is `script`, which therefore runs in place of any agent.
    pub fn with_agent(script: &str) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let sudo = folder.path().join("sudo");
        fs::write(&sudo, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&sudo, fs::Permissions::from_mode(0o755))?;
        let sudo = sudo.to_string_lossy().into_owned();
        let record = include_str!("../../../../wire/golden/message/record.json");
        let machine = json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux", "hostName": "frame1",
            "toplevel": { "drv": DRV, "out": "/nix/store/11111111111111111111111111111111-x" },
            "ssh": { "hostname": "frame1" },
        });
        let facts = Answer::read("@facts end\n").facts().expect("its last word is there");
        let probed = Probed {
            machine: Machine::from_json(machine).expect("it is a machine"),
            facts,
            place: Place::Here,
            root: Escalation::Free(vec![sudo]),
            login: None,
            options: Options::default(),
            noise: None,
            authenticated: None,
        };
        Ok(Self { probed, record: serde_json::from_str(record)?, _folder: folder })
    }
}

const DRV: &str = "/nix/store/00000000000000000000000000000000-x.drv";
