//! A TCP connection to a numeric address.

use std::{
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

/// Connects; reads and writes have the same limit.
pub fn connect(address: &str, port: u16, limit: Duration) -> Result<TcpStream, String> {
    let ip: IpAddr = address.parse().map_err(|_| format!("`{address}` is no numeric address"))?;
    let stream = TcpStream::connect_timeout(&SocketAddr::new(ip, port), limit)
        .map_err(|error| format!("{address}:{port}: {error}"))?;
    let limits = stream.set_read_timeout(Some(limit)).and(stream.set_write_timeout(Some(limit)));
    limits.map_err(|error| error.to_string())?;
    Ok(stream)
}
