//! A TCP connection to a numeric address.

use std::net::{IpAddr, SocketAddr, TcpStream};

use super::limit::{Limit, Limited};

/// Connects. The limit covers the connection and all reads and writes together.
pub fn connect(address: &str, port: u16, limit: Limit) -> Result<Limited, String> {
    let ip: IpAddr = address.parse().map_err(|_| format!("`{address}` is no numeric address"))?;
    let stream = limit
        .left()
        .and_then(|left| TcpStream::connect_timeout(&SocketAddr::new(ip, port), left))
        .map_err(|error| format!("{address}:{port}: {error}"))?;
    Ok(Limited::new(stream, limit))
}
