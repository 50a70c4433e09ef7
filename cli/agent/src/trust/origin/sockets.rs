//! The open TCP connection of a process.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use deploy_wire::attempt::Login;

/// The kernel's number for an established connection.
const ESTABLISHED: &str = "01";

/// The first established connection.
pub fn connection(process: u32) -> Option<Login> {
    among(process, &sockets(process))
}

fn among(process: u32, inodes: &[String]) -> Option<Login> {
    ["tcp", "tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(format!("/proc/{process}/net/{table}")).ok()?;
        table.lines().find_map(|line| read(line, inodes))
    })
}

fn sockets(process: u32) -> Vec<String> {
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let target = |entry: std::io::Result<fs::DirEntry>| fs::read_link(entry.ok()?.path()).ok();
    let inode = |target: std::path::PathBuf| {
        let text = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned();
        Some(text)
    };
    open.filter_map(target).filter_map(inode).collect()
}

/// Parses a line of `/proc/net/tcp`: number, local and remote address, state, …, inode.
fn read(line: &str, inodes: &[String]) -> Option<Login> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, local, remote, state, _, _, _, _, _, inode, ..] = fields[..] else { return None };
    if state != ESTABLISHED || !inodes.iter().any(|own| own == inode) {
        return None;
    }
    let (client, client_port) = address(remote)?;
    let (server, server_port) = address(local)?;
    Some(Login { client: client.to_string(), client_port, server: server.to_string(), server_port })
}

/// Parses `0100007F:0016`: words of 32 bits in the machine's byte order. An IPv4 address within
/// IPv6 is written as sshd writes it.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words: Option<Vec<[u8; 4]>> = [0, 8, 16, 24].into_iter().map(word).collect();
            let bytes: [u8; 16] = words?.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use std::{
        net::{TcpListener, TcpStream},
        os::fd::AsRawFd,
    };

    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_are_read_as_sshd_tells_them() {
        let read = |text| address(text).map(|(ip, port)| format!("{ip} {port}"));
        assert_eq!(read("0100007F:0016").unwrap(), "127.0.0.1 22");
        assert_eq!(read("0000000000000000FFFF00000200000A:C350").unwrap(), "10.0.0.2 50000");
        assert_eq!(read("000080FE000000000000000001000000:0016").unwrap(), "fe80::1 22");
        assert_eq!(read("0100007F"), None);
        assert_eq!(read("é00007F:0016"), None);
    }

    fn inode(socket: &impl AsRawFd) -> String {
        let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        link.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).to_owned()
    }

    #[test]
    fn a_connection_of_a_process_is_found_and_a_listener_is_none() {
        let process = std::process::id();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(among(process, &[inode(&listener)]), None);
        let found = among(process, &[inode(&server)]).unwrap();
        assert_eq!(found.client_port, client.local_addr().unwrap().port());
        assert_eq!(found.server_port, listener.local_addr().unwrap().port());
        assert!(sockets(process).contains(&inode(&server)));
    }
}
