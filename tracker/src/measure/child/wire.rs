//! What the tracker and a keeper say to each other over their socket.
//!
//! The tracker sends one [`Program`], with the three descriptors that become the program's standard streams, and later
//! at most one request to end it. The keeper answers in lines of JSON, one [`Report`] each.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::io::FdFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use serde::{Deserialize, Serialize};

use super::{Environment, Program};
use crate::domain::Ended;

/// More than the kernel takes as arguments and environment of one program.
const LONGEST_ORDER_BYTES: u32 = 16 << 20;

/// What a keeper tells.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Report {
    /// The program runs, with this process id.
    Started(i32),
    /// It could not be started.
    Refused(Refusal),
    /// It ended; its descendants are being swept.
    Ended {
        /// How.
        how: Ended,
        /// From just before it was started to its end: without what the keeper and the tracker do before and after.
        lasted_ns: u64,
    },
}

/// Why a program did not start.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub(super) doing: String,
    pub(super) errno: Option<i32>,
    pub(super) message: String,
}

#[derive(Serialize, Deserialize)]
struct Order {
    arguments: Vec<OsString>,
    directory: OsString,
    environment: Vec<(OsString, OsString)>,
    cpus: Option<Vec<usize>>,
    layout: Option<u64>,
}

/// Sends the program and the descriptors of its standard input, output and error.
pub(super) fn send_program(socket: &UnixStream, program: &Program, streams: &[OwnedFd; 3]) -> io::Result<()> {
    let order = Order {
        arguments: program.arguments.clone(),
        directory: program.directory.clone().into_os_string(),
        environment: program.environment.clone().into_variables(),
        cpus: program.cpus.clone(),
        layout: program.layout,
    };
    let body = serde_json::to_vec(&order)?;
    let length = u32::try_from(body.len()).ok().filter(|&length| length <= LONGEST_ORDER_BYTES);
    let length = length.ok_or_else(|| io::Error::other("the arguments and environment are too long"))?.to_le_bytes();
    let descriptors = [streams[0].as_fd(), streams[1].as_fd(), streams[2].as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("no space for three descriptors"));
    }
    let sent = rustix::net::sendmsg(socket, &[IoSlice::new(&length)], &mut control, SendFlags::empty())?;
    if sent != length.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    (&mut &*socket).write_all(&body)
}

/// Takes the program and its streams; none if the tracker went away instead.
pub(super) fn take_program(mut socket: &UnixStream) -> io::Result<Option<(Program, [OwnedFd; 3])>> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let taken = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut length)], &mut control, RecvFlags::empty())?;
    if taken.bytes == 0 {
        return Ok(None);
    }
    let mut streams = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            streams.extend(descriptors);
        }
    }
    for stream in &streams {
        rustix::io::fcntl_setfd(stream, FdFlags::CLOEXEC)?;
    }
    let length = u32::from_le_bytes(length);
    let streams: Result<[OwnedFd; 3], _> = streams.try_into();
    let (4, Ok(streams), ..=LONGEST_ORDER_BYTES) = (taken.bytes, streams, length) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut body = vec![0; length as usize];
    socket.read_exact(&mut body)?;
    let order: Order = serde_json::from_slice(&body)?;
    let program = Program {
        arguments: order.arguments,
        directory: order.directory.into(),
        environment: Environment::of_variables(order.environment),
        cpus: order.cpus,
        layout: order.layout,
    };
    Ok(Some((program, streams)))
}

/// Tells the tracker something. A tracker that is gone does not hear it, which the keeper notices elsewhere.
pub(super) fn tell(mut socket: &UnixStream, report: &Report) {
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let _ = socket.write_all(&line);
    }
}

/// Asks the keeper to end the program: politely first, by force when `grace` is over.
pub(super) fn ask_to_end(mut socket: &UnixStream, grace: Duration) -> io::Result<()> {
    let grace_ms = u32::try_from(grace.as_millis()).unwrap_or(u32::MAX);
    socket.write_all(&grace_ms.to_le_bytes())
}

/// Waits for the request to end the program; none when the tracker went away.
pub(super) fn await_end(mut socket: &UnixStream) -> Option<Duration> {
    let mut grace_ms = [0; 4];
    socket.read_exact(&mut grace_ms).ok()?;
    Some(Duration::from_millis(u32::from_le_bytes(grace_ms).into()))
}
