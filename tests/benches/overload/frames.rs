//! A connection that costs a fraction of what it asks for: it writes HTTP/2 frame by frame, its headers made once, and reads
//! of an answer no more than how it ended. It keeps to what the server allows: streams, windows, settings and pings.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use tonic::Code;

use crate::calls::{PATIENCE, TENANT};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// HTTP/2's numbers of settings.
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
/// The error of a stream that was not begun.
const REFUSED_STREAM: u32 = 7;
/// The length of a frame's header.
const HEADER: usize = 9;
/// The largest window of HTTP/2, and what every connection begins with.
const LARGEST_WINDOW: u32 = (1 << 31) - 1;
const FIRST_WINDOW: u32 = 65_535;
/// After so many bytes of answers the server is told that they were taken.
const TOLD_AFTER: usize = 1 << 20;

/// A call that ended: when it was due, when its answer was read, and which it was.
pub(crate) type Ended = (Instant, Instant, Code);

/// A connection. Nothing on it waits.
pub(crate) struct Connection {
    socket: TcpStream,
    unsent: Vec<u8>,
    unread: Vec<u8>,
    /// What a call's headers are from the second on, when the server remembers the first.
    headers: Vec<u8>,
    first_headers: Option<Vec<u8>>,
    /// The oldest open stream, when each since was due, and how it ended.
    first: u32,
    streams: VecDeque<Option<Instant>>,
    open: usize,
    /// How many may be, once the server has said so.
    most: Option<usize>,
    /// Bytes of messages that the server takes.
    window: i64,
    taken: usize,
    memory: Memory,
}

impl Connection {
    /// Connects, for calls of the method with this path, and waits for what the server allows.
    pub(crate) fn to(address: &str, path: &str) -> Self {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let windows = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &LARGEST_WINDOW.to_be_bytes()].concat();
        put(&mut hello, SETTINGS, 0, 0, &windows);
        put(&mut hello, WINDOW_UPDATE, 0, 0, &(LARGEST_WINDOW - FIRST_WINDOW).to_be_bytes());
        socket.write_all(&hello).unwrap();
        // POST and http are in every table. The others are remembered: the newest is number 62.
        let timeout = format!("{PATIENCE}S");
        let remembered = [
            (":path", path),
            (":authority", address),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("rapport-tenant", TENANT),
            ("grpc-timeout", &timeout),
        ];
        let mut first = vec![0x83, 0x86];
        let mut headers = first.clone();
        for (index, (name, value)) in remembered.into_iter().enumerate() {
            first.push(0x40);
            for text in [name, value] {
                assert!(text.len() < 127, "a length in one byte");
                first.push(text.len() as u8);
                first.extend_from_slice(text.as_bytes());
            }
            headers.push(0x80 | (61 + remembered.len() - index) as u8);
        }
        let mut connection = Self {
            socket,
            unsent: Vec::new(),
            unread: Vec::new(),
            headers,
            first_headers: Some(first),
            first: 1,
            streams: VecDeque::new(),
            open: 0,
            most: None,
            window: FIRST_WINDOW.into(),
            taken: 0,
            memory: Memory::default(),
        };
        while connection.most.is_none() {
            connection.exchange(&mut Vec::new());
        }
        connection.socket.set_nonblocking(true).unwrap();
        connection
    }

    /// How many calls are open.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Begins a call, unless the server takes no more of this connection now.
    pub(crate) fn call(&mut self, due: Instant, message: &[u8]) -> bool {
        let length = message.len() + 5;
        if self.most.is_none_or(|most| self.open >= most) || self.window < length as i64 {
            return false;
        }
        let stream = self.first + 2 * self.streams.len() as u32;
        let headers = self.first_headers.take();
        put(&mut self.unsent, HEADERS, END_HEADERS, stream, headers.as_ref().unwrap_or(&self.headers));
        // A message is led by whether it is compressed, and by its length.
        let lead = [&[0][..], &(message.len() as u32).to_be_bytes()].concat();
        put(&mut self.unsent, DATA, END_STREAM, stream, &lead);
        self.unsent.extend_from_slice(message);
        let at = self.unsent.len() - length - HEADER;
        self.unsent[at..at + 3].copy_from_slice(&(length as u32).to_be_bytes()[1..]);
        self.window -= length as i64;
        self.streams.push_back(Some(due));
        self.open += 1;
        true
    }

    /// Sends what can be sent, and reads what is there; calls that ended are added to `ended`.
    pub(crate) fn exchange(&mut self, ended: &mut Vec<Ended>) {
        if !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
            }
        }
        let kept = self.unread.len();
        self.unread.resize(kept + (64 << 10), 0);
        let read = match self.socket.read(&mut self.unread[kept..]) {
            Ok(0) => panic!("the server ended a connection"),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => panic!("a connection broke: {error}"),
        };
        self.unread.truncate(kept + read);
        let (now, bytes, mut rest) = (Instant::now(), std::mem::take(&mut self.unread), 0);
        while let Some(header) = bytes[rest..].first_chunk::<HEADER>() {
            let [high, middle, low, kind, flags, stream @ ..] = *header;
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            let Some(payload) = bytes[rest + HEADER..].get(..length) else { break };
            if let Some((stream, code)) = self.frame(kind, flags, u32::from_be_bytes(stream), payload) {
                ended.extend(self.end(stream).map(|due| (due, now, code)));
            }
            rest += HEADER + length;
        }
        self.unread = bytes;
        self.unread.drain(..rest);
    }

    /// Does as a frame says. Returns the stream that it ends, and how.
    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Option<(u32, Code)> {
        let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        match kind {
            DATA => {
                self.taken += payload.len();
                if self.taken > TOLD_AFTER {
                    put(&mut self.unsent, WINDOW_UPDATE, 0, 0, &(self.taken as u32).to_be_bytes());
                    self.taken = 0;
                }
            }
            HEADERS => {
                assert!(flags & END_HEADERS > 0, "headers that go on are not read here");
                let code = self.memory.status(payload);
                return (flags & END_STREAM > 0).then(|| (stream, code.unwrap_or(Code::Unknown)));
            }
            RST_STREAM if number(payload) == REFUSED_STREAM => return Some((stream, Code::ResourceExhausted)),
            RST_STREAM => return Some((stream, Code::Unknown)),
            SETTINGS if flags & ACK == 0 => {
                let mut settings = payload.chunks_exact(6);
                let told = settings.find(|setting| setting[..2] == MAX_CONCURRENT_STREAMS.to_be_bytes());
                // Until a number is told there is no limit.
                self.most = told.map(|setting| number(&setting[2..]) as usize).or(self.most).or(Some(usize::MAX));
                put(&mut self.unsent, SETTINGS, ACK, 0, &[]);
            }
            PING if flags & ACK == 0 => put(&mut self.unsent, PING, ACK, 0, payload),
            GOAWAY => panic!("the server ends a connection: {payload:?}"),
            WINDOW_UPDATE if stream == 0 => self.window += i64::from(number(payload)),
            _ => {}
        }
        None
    }

    fn end(&mut self, stream: u32) -> Option<Instant> {
        let due = self.streams.get_mut(((stream - self.first) / 2) as usize).and_then(Option::take)?;
        self.open -= 1;
        while let Some(None) = self.streams.front() {
            self.streams.pop_front();
            self.first += 2;
        }
        Some(due)
    }
}

/// Adds a frame.
fn put(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
}

/// The headers that the server has told to remember, the newest first: of each whether its name is `grpc-status`, and the code.
/// What the server has forgotten it does not name again, so only the newest matter.
#[derive(Default)]
struct Memory(VecDeque<(bool, Code)>);

/// How many headers are remembered: more than fit into 4,096 bytes with 32 for each.
const REMEMBERED: usize = 128;
/// The number of the first that is not in every table.
const OWN: usize = 62;
/// `grpc-status` and the codes, plain and in Huffman's code (RFC 7541, appendix B).
const STATUS: [&[u8]; 2] = [b"grpc-status", &[0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f]];
const CODES: [(Code, [&[u8]; 2]); 3] = [
    (Code::Ok, [b"0", &[0x07]]),
    (Code::DeadlineExceeded, [b"4", &[0x6b]]),
    (Code::ResourceExhausted, [b"8", &[0x7b]]),
];

impl Memory {
    /// The status among headers as HPACK (RFC 7541) has them; any other code than those above is unknown.
    fn status(&mut self, mut block: &[u8]) -> Option<Code> {
        let mut status = None;
        while let Some(&kind) = block.first() {
            let (is_status, code) = if kind & 0x80 > 0 {
                let index = integer(&mut block, 7);
                self.get(index)
            } else if kind & 0x60 == 0x20 {
                integer(&mut block, 5);
                continue;
            } else {
                let remembered = kind & 0x40 > 0;
                let is_status = match integer(&mut block, if remembered { 6 } else { 4 }) {
                    0 => STATUS.contains(&string(&mut block)),
                    index => self.get(index).0,
                };
                let value = string(&mut block);
                let code = CODES.iter().find(|(_, texts)| texts.contains(&value)).map_or(Code::Unknown, |code| code.0);
                if remembered {
                    self.0.push_front((is_status, code));
                    self.0.truncate(REMEMBERED);
                }
                (is_status, code)
            };
            status = status.or(is_status.then_some(code));
        }
        status
    }

    fn get(&self, index: usize) -> (bool, Code) {
        index.checked_sub(OWN).map_or((false, Code::Unknown), |own| self.0[own])
    }
}

/// Takes an integer that begins in the last bits of the first byte.
fn integer(block: &mut &[u8], bits: u32) -> usize {
    let low = (1 << bits) - 1;
    let mut value = usize::from(block[0]) & low;
    let mut used = 1;
    if value == low {
        loop {
            let byte = usize::from(block[used]);
            value += (byte & 127) << (7 * (used - 1));
            used += 1;
            if byte < 128 {
                break;
            }
        }
    }
    *block = &block[used..];
    value
}

/// Takes a text as it is written.
fn string<'a>(block: &mut &'a [u8]) -> &'a [u8] {
    let length = integer(block, 7);
    let (text, rest) = block.split_at(length);
    *block = rest;
    text
}
