//! Answers: a file of the site, or a word why not. One connection carries one request and ends.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::request::{LONGEST, Refusal, Request};
use crate::domain::RecordId;
use crate::show::page;

/// How long somebody may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The script by which a page that is open learns that the site was drawn again.
pub(super) const STAMP: &str = "live.js";

/// Answers one connection. Whatever goes wrong concerns nobody but the one who asked.
pub(super) fn connection(mut stream: TcpStream, site: &Path, stamp: &str, port: u16) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    let asked = match head(&mut stream, until)? {
        None => return Ok(()),
        Some(Ok(head)) => Request::parse(&head, port),
        Some(Err(refusal)) => Err(refusal),
    };
    let answer = asked.and_then(|request| found(&request, site, stamp).map(|answer| (request, answer)));
    match answer {
        Ok((request, answer)) if request.known.as_deref() == Some(answer.tag.as_str()) => {
            send(&mut stream, until, &answer.head("304 Not Modified", None), &[])
        }
        Ok((request, answer)) => {
            let body = if request.head_only { &[][..] } else { &answer.body };
            send(&mut stream, until, &answer.head("200 OK", Some(answer.body.len())), body)
        }
        Err(refusal) => refuse(&mut stream, until, refusal.status()),
    }
}

/// Says that there are too many already.
pub(super) fn busy(mut stream: TcpStream) -> io::Result<()> {
    refuse(&mut stream, Instant::now() + Duration::from_secs(1), "503 Service Unavailable")
}

fn refuse(stream: &mut TcpStream, until: Instant, status: &str) -> io::Result<()> {
    let body = format!("{status}\n");
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n{allow}\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    send(stream, until, &head, body.as_bytes())
}

/// The head of a request, up to its empty line; none where nothing was asked.
fn head(stream: &mut TcpStream, until: Instant) -> io::Result<Option<Result<Vec<u8>, Refusal>>> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        stream.set_read_timeout(Some(left(until)?))?;
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok((!head.is_empty()).then_some(Err(Refusal::Nonsense)));
        }
        // The end may lie across two pieces.
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&piece[..count]);
        if let Some(end) = head[from..].windows(4).position(|four| four == b"\r\n\r\n") {
            head.truncate(from + end + 4);
            return Ok(Some(if head.len() > LONGEST { Err(Refusal::TooLong) } else { Ok(head) }));
        }
        if head.len() > LONGEST {
            return Ok(Some(Err(Refusal::TooLong)));
        }
    }
}

fn send(stream: &mut TcpStream, until: Instant, head: &str, body: &[u8]) -> io::Result<()> {
    for piece in std::iter::once(head.as_bytes()).chain(body.chunks(64 * 1024)) {
        stream.set_write_timeout(Some(left(until)?))?;
        stream.write_all(piece)?;
    }
    stream.flush()
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A file with what is said of it.
struct Answer {
    kind: &'static str,
    tag: String,
    body: Vec<u8>,
}

impl Answer {
    fn new(kind: &'static str, body: Vec<u8>) -> Answer {
        let tag = format!("\"{}\"", RecordId::of("answer", &body).short());
        Answer { kind, tag, body }
    }

    fn head(&self, status: &str, length: Option<usize>) -> String {
        let length = length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {}\r\n{length}ETag: {}\r\nCache-Control: no-cache\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
             X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n\r\n",
            self.kind, self.tag
        )
    }
}

/// What a file is by its name; files of other kinds are none of the site's.
fn kind(file: &str) -> Option<&'static str> {
    let end = file.rsplit_once('.')?.1;
    let kinds = [
        ("html", "text/html; charset=utf-8"),
        ("css", "text/css; charset=utf-8"),
        ("js", "text/javascript; charset=utf-8"),
        ("svg", "image/svg+xml"),
        ("atom", "application/atom+xml; charset=utf-8"),
        ("md", "text/markdown; charset=utf-8"),
    ];
    kinds.into_iter().find(|(name, _)| *name == end).map(|(_, kind)| kind)
}

fn found(request: &Request, site: &Path, stamp: &str) -> Result<Answer, Refusal> {
    let kind = kind(&request.file).ok_or(Refusal::NotFound)?;
    if request.file == STAMP {
        return Ok(Answer::new(kind, format!("tachographStamp({stamp:?});\n").into_bytes()));
    }
    let mut body = Vec::new();
    // The site is ours, and holds no links to elsewhere; if somebody put one there it is not followed.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(|_| Refusal::NotFound)?;
    File::options()
        .read(true)
        .custom_flags(flags)
        .open(site.join(&request.file))
        .and_then(|mut file| if file.metadata()?.is_file() { file.read_to_end(&mut body) } else { Ok(0) })
        .ok()
        .filter(|count| *count > 0)
        .ok_or(Refusal::NotFound)?;
    if request.file == "site.js" {
        body.extend_from_slice(page::LIVE.as_bytes());
    }
    Ok(Answer::new(kind, body))
}
