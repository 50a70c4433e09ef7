//! Virtual machines of this computer as text.

use super::quantities::bytes;
use crate::report::{VmShown, line::Line};

/// A virtual machine, and what it boots.
pub fn vm(vm: &VmShown) -> Vec<Line> {
    let mut lines = vec![state(vm)];
    lines.extend(vm.booted.as_ref().map(|system| format!("booted: {system}")));
    lines.push(match (&vm.boots, &vm.boots_not_known) {
        (Some(system), _) => format!("boots:  {system}"),
        (None, Some(why)) => format!("boots:  not known ({why})"),
        (None, None) => "boots:  not known".to_owned(),
    });
    lines.push(format!("disk:   {}, {}", vm.disk, bytes(vm.disk_bytes)));
    lines.into_iter().map(|line| Line::plain(format!("{}: {line}", vm.name))).collect()
}

fn state(vm: &VmShown) -> String {
    match (vm.is_on, &vm.why, vm.memory, vm.cores) {
        (true, _, Some(memory), Some(cores)) => {
            let ports = vm.ports.iter().map(|port| format!("{}:{}", port.here, port.guest));
            let ports = ports.collect::<Vec<_>>().join(" ");
            format!("on:     ports {ports}, {memory} MiB, {cores} cores")
        }
        (true, ..) => "on".into(),
        (false, Some(why), ..) => format!("off:    {why}"),
        (false, None, ..) => "off".into(),
    }
}
