//! Serving: the site over HTTP to this machine alone, drawn again as runs arrive.
//!
//! Nothing can be changed through it, nothing outside of the site's folder can be read, and who asks under another name than
//! this machine's is refused, so that no page from elsewhere can read it through a browser.

mod answer;
mod request;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::domain::RecordId;
use crate::failure::{Classify, Failure, Outcome};
use crate::measure::interrupt::Stop;
use crate::record::Address;

/// More connections at once than a few open pages need are turned away.
const CONNECTIONS: usize = 32;

/// How often the store is looked at.
const PACE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// A place at which the site can be read.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    port: u16,
}

impl Door {
    /// Listens at a port of this machine; at nought, any that is free.
    pub fn open(port: u16) -> Outcome<Door> {
        let opened = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let port = listener.local_addr()?.port();
            Ok(Door { listener, port })
        });
        opened.map_err(|error| {
            let failure = Failure::environment(anyhow::Error::from(error).context(format!("listening at port {port}")));
            failure.hint("--port 0 takes any that is free")
        })
    }

    /// What to type into a browser.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Serves the folder `site` until somebody wants us to stop. `draw` draws the site anew, and is asked whenever the store
    /// changed; where it fails, `complain` is told, and the site stays as it was.
    pub fn serve(
        &self,
        site: &Path,
        store: &Address,
        stop: &Stop,
        mut draw: impl FnMut() -> Outcome<()> + Send,
        complain: impl Fn(&Failure) + Sync,
    ) -> Outcome<()> {
        let stamp = Mutex::new(stamp(site));
        let watch = || {
            let mut seen = store.mark();
            while !waited(stop, &PACE) {
                let now = store.mark();
                if now == seen {
                    continue;
                }
                // Taken before: what arrives while the site is drawn is drawn the next time.
                seen = now;
                match draw() {
                    Ok(()) => *stamp.lock().unwrap_or_else(PoisonError::into_inner) = self::stamp(site),
                    Err(failure) => complain(&failure),
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(watch);
            let answered = self.answer(site, stop, &stamp);
            if answered.is_err() {
                // The other one must not wait for a signal that does not come.
                stop.raise(0);
            }
            answered.or_environment("waiting for connections")
        })
    }

    fn answer(&self, site: &Path, stop: &Stop, stamp: &Mutex<String>) -> io::Result<()> {
        let open = Arc::new(AtomicUsize::new(0));
        loop {
            let mut watched =
                [PollFd::new(&self.listener, PollFlags::IN), PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
            match poll(&mut watched, None) {
                Err(rustix::io::Errno::INTR) => {}
                polled => drop(polled?),
            }
            if stop.is_raised() {
                return Ok(());
            }
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                // The one who knocked is gone, or there are no descriptors left just now.
                Err(_) => {
                    waited(stop, &Timespec { tv_sec: 0, tv_nsec: 10_000_000 });
                    continue;
                }
            };
            if stream.set_nonblocking(false).is_err() {
                continue;
            }
            let (open, site, port) = (Arc::clone(&open), site.to_owned(), self.port);
            let stamp = stamp.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
                open.fetch_sub(1, Ordering::SeqCst);
                let _ = answer::busy(stream);
                continue;
            }
            // Not joined: each ends by itself within its patience, and nothing of it has to be kept.
            let begun = std::thread::Builder::new().name("answer".to_owned()).spawn({
                let open = Arc::clone(&open);
                move || {
                    let _ = answer::connection(stream, &site, &stamp, port);
                    open.fetch_sub(1, Ordering::SeqCst);
                }
            });
            if begun.is_err() {
                open.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

/// Waits for a while; says whether somebody wants us to stop.
fn waited(stop: &Stop, time: &Timespec) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
    // A signal that interrupts the wait raises the wish, or is nothing to us.
    let _ = poll(&mut watched, Some(time));
    stop.is_raised() || !watched[0].revents().is_empty()
}

/// Of all that the site was made from: its memory names every page's stamp.
fn stamp(site: &Path) -> String {
    let memory = std::fs::read(site.join(super::publish::MEMORY)).unwrap_or_default();
    RecordId::of("site", &memory).short().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    /// A site of two files behind a door, until `visit` is done.
    fn served(visit: impl FnOnce(u16)) {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        std::fs::create_dir(&site).unwrap();
        std::fs::write(site.join("index.html"), "<p>hello").unwrap();
        std::fs::write(site.join("site.js"), "1;").unwrap();
        std::fs::write(folder.path().join("secret.html"), "secret").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret.html"), site.join("link.html")).unwrap();
        let store = Address::parse("store.db", folder.path()).unwrap();
        let (door, stop) = (Door::open(0).unwrap(), Stop::by_hand().unwrap());
        std::thread::scope(|scope| {
            let serving = scope.spawn(|| door.serve(&site, &store, &stop, || Ok(()), |_| {}));
            visit(door.port);
            stop.raise(15);
            serving.join().unwrap().unwrap();
        });
    }

    fn said(port: u16, text: &[u8]) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        // What is refused early may be cut off while we still speak.
        let _ = stream.write_all(text);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    fn get(port: u16, path: &str, more: &str) -> String {
        said(port, format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}\r\n").as_bytes())
    }

    #[test]
    fn files_of_the_site_are_served_and_nothing_else() {
        served(|port| {
            let page = get(port, "/", "");
            assert!(page.starts_with("HTTP/1.1 200 OK") && page.ends_with("<p>hello"), "{page}");
            assert!(page.contains("Content-Security-Policy: default-src 'none'"), "{page}");
            let tag = page.split("ETag: ").nth(1).unwrap().split('\r').next().unwrap();
            let again = get(port, "/index.html", &format!("If-None-Match: {tag}\r\n"));
            assert!(again.starts_with("HTTP/1.1 304") && !again.contains("hello"), "{again}");
            assert!(get(port, "/site.js", "").contains("live.js"));
            assert!(get(port, "/live.js", "").contains("tachographStamp(\""));
            for path in ["/../secret.html", "/link.html", "/store.db", "/series", "/nothing.html", "/site.json"] {
                assert!(get(port, path, "").starts_with("HTTP/1.1 404"), "{path}");
            }
            let host = format!("GET / HTTP/1.1\r\nHost: example.invalid:{port}\r\n\r\n");
            assert!(said(port, host.as_bytes()).starts_with("HTTP/1.1 421"));
            let head = said(port, format!("HEAD / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").as_bytes());
            assert!(head.contains("Content-Length: 8\r\n") && head.ends_with("\r\n\r\n"), "{head}");
            let post = format!("POST / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
            let refused = said(port, post.as_bytes());
            assert!(refused.starts_with("HTTP/1.1 405") && refused.contains("Allow: GET, HEAD"), "{refused}");
        });
    }

    #[test]
    fn heads_without_end_and_connections_without_number_are_cut_off() {
        served(|port| {
            let long = format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nX: {}", "x".repeat(64 * 1024));
            let refused = said(port, long.as_bytes());
            assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 431"), "{refused}");
        });
        served(|port| {
            let idle: Vec<TcpStream> =
                (0..CONNECTIONS).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()).collect();
            // Whoever came before was let in before, since they are let in one after the other.
            let refused = get(port, "/", "");
            assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 503"), "{refused}");
            drop(idle);
        });
    }
}
