//! Connecting to a socket of this machine with a limit. A connecting process waits until the other
//! end accepts, and any user can fill the queue.

use std::{
    io,
    os::unix::net::UnixStream,
    thread,
    time::{Duration, Instant},
};

use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect as to, socket_with,
};

use crate::clock::TICK;

/// Connects to the stream socket at `path` within `limit`.
pub fn connect(path: &str, limit: Duration) -> io::Result<UnixStream> {
    let end = Instant::now() + limit;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let address = SocketAddrUnix::new(path)?;
    loop {
        match to(&socket, &address) {
            Ok(()) => break,
            // The queue is full.
            Err(rustix::io::Errno::AGAIN) if Instant::now() < end => thread::sleep(TICK),
            Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) => return Err(error.into()),
        }
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, sync::mpsc};

    use super::*;

    #[test]
    fn a_socket_that_takes_no_connection_is_not_waited_for_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        let path = path.to_str().unwrap();
        let (tell, told) = mpsc::channel();
        thread::spawn({
            let path = path.to_owned();
            move || {
                let mut queued = Vec::new();
                while let Ok(stream) = connect(&path, Duration::from_millis(50)) {
                    queued.push(stream);
                }
                let begun = Instant::now();
                let error = connect(&path, Duration::from_millis(500)).unwrap_err();
                let _ = tell.send((error.kind(), begun.elapsed(), queued));
            }
        });
        let (kind, took, _queued) =
            told.recv_timeout(Duration::from_secs(60)).expect("it is waited for without end");
        assert_eq!(kind, io::ErrorKind::TimedOut);
        assert!(took >= Duration::from_millis(500), "{took:?} is no wait");
        let waits = thread::spawn({
            let path = path.to_owned();
            move || connect(&path, Duration::from_secs(30))
        });
        drop(listener.accept().unwrap());
        waits.join().unwrap().unwrap();
    }
}
