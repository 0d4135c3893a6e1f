//! A client that writes HTTP/2 frame by frame, and may leave out whatever a client should do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// HTTP/2's numbers of settings.
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
/// How long it waits for a frame at most; the longest that a server may be silent in these tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

/// A connection.
pub(super) struct Raw {
    stream: TcpStream,
    next: u32,
    /// How many streams the server says it takes.
    pub(super) told_most_streams: Option<u32>,
}

impl Raw {
    /// Connects as every client does.
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self::with_window(address, 1 << 20).await
    }

    /// Connects with room for so many bytes of each answer; what it reads it never makes up for.
    pub(super) async fn with_window(address: SocketAddr, window: u32) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Self { stream, next: 1, told_most_streams: None };
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let setting = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &window.to_be_bytes()].concat();
        Self::put(&mut hello, SETTINGS, 0, 0, &setting);
        raw.try_write(&hello).await;
        raw
    }

    /// Adds a frame to what is to be written.
    pub(super) fn put(buffer: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        buffer.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
        buffer.extend_from_slice(&[kind, flags]);
        buffer.extend_from_slice(&stream.to_be_bytes());
        buffer.extend_from_slice(payload);
    }

    /// A header as HPACK has it if nothing is to be remembered.
    pub(super) fn literal(name: &str, value: &str) -> Vec<u8> {
        let mut header = vec![0];
        for text in [name, value] {
            // A length of seven bits, or what is more in further bytes.
            match text.len() {
                short @ 0..127 => header.push(short as u8),
                long => {
                    header.push(127);
                    let mut rest = long - 127;
                    while rest >= 128 {
                        header.push(128 | (rest % 128) as u8);
                        rest /= 128;
                    }
                    header.push(rest as u8);
                }
            }
            header.extend_from_slice(text.as_bytes());
        }
        header
    }

    /// Adds the headers of a call of a method.
    pub(super) fn put_headers(buffer: &mut Vec<u8>, stream: u32, path: &str, metadata: &[(&str, &str)], ends: bool) {
        let usual = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "here"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("rapport-tenant", "acme"),
        ];
        let block: Vec<u8> =
            usual.iter().chain(metadata).flat_map(|(name, value)| Self::literal(name, value)).collect();
        let mut pieces = block.chunks(16_000).peekable();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let last = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            let end = if kind == HEADERS && ends { END_STREAM } else { 0 };
            Self::put(buffer, kind, last | end, stream, piece);
            kind = CONTINUATION;
        }
    }

    /// Writes bytes; false if the server does not take them any more.
    pub(super) async fn try_write(&mut self, bytes: &[u8]) -> bool {
        matches!(tokio::time::timeout(PATIENCE, self.stream.write_all(bytes)).await, Ok(Ok(())))
    }

    pub(super) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = Vec::new();
        Self::put(&mut frame, kind, flags, stream, payload);
        self.try_write(&frame).await;
    }

    /// Makes room for so many more bytes of an answer.
    pub(super) async fn make_room(&mut self, stream: u32, bytes: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes()).await;
    }

    pub(super) async fn headers(&mut self, stream: u32, path: &str, metadata: &[(&str, &str)], ends: bool) {
        let mut frames = Vec::new();
        Self::put_headers(&mut frames, stream, path, metadata, ends);
        self.next = self.next.max(stream + 2);
        self.try_write(&frames).await;
    }

    pub(super) async fn data(&mut self, stream: u32, bytes: &[u8], ends: bool) {
        let mut frames = Vec::new();
        let mut pieces = bytes.chunks(16_000).peekable();
        while let Some(piece) = pieces.next() {
            let end = u8::from(ends && pieces.peek().is_none());
            Self::put(&mut frames, DATA, end, stream, piece);
        }
        self.try_write(&frames).await;
    }

    /// Makes a call whole.
    pub(super) async fn request(&mut self, stream: u32, path: &str, message: &[u8]) {
        self.headers(stream, path, &[], false).await;
        self.data(stream, message, true).await;
    }

    /// The next frame; none once the connection has ended.
    pub(super) async fn frame(&mut self) -> Option<Frame> {
        let mut header = [0; 9];
        let read = tokio::time::timeout(PATIENCE, self.stream.read_exact(&mut header)).await;
        read.expect("the server neither said a word nor ended").ok()?;
        let [high, middle, low, kind, flags, stream @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        if kind == SETTINGS && flags & ACK == 0 {
            for setting in payload.chunks_exact(6) {
                let value = u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]);
                if u16::from_be_bytes([setting[0], setting[1]]) == MAX_CONCURRENT_STREAMS {
                    self.told_most_streams = Some(value);
                }
            }
            self.send(SETTINGS, ACK, 0, &[]).await;
        }
        if kind == PING && flags & ACK == 0 {
            self.send(PING, ACK, 0, &payload.clone()).await;
        }
        Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    /// The next frame of a type.
    pub(super) async fn frame_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.frame().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Reads until the connection ends; with the code that it ended with, if it was told.
    pub(super) async fn end(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(Frame { kind, payload, .. }) = self.frame().await {
            if kind == GOAWAY {
                code = Some(u32::from_be_bytes([payload[4], payload[5], payload[6], payload[7]]));
            }
        }
        code
    }

    /// Whether a call with this message is answered well, on the next stream.
    pub(super) async fn is_answered(&mut self, path: &str, message: &[u8]) -> bool {
        let stream = self.next;
        self.request(stream, path, message).await;
        self.is_answered_with_a_message(stream).await
    }

    /// Whether the answer to a call begins with a message; otherwise it was refused, or the connection ended.
    pub(super) async fn is_answered_with_a_message(&mut self, stream: u32) -> bool {
        loop {
            match self.frame().await {
                Some(Frame { kind: DATA, stream: of, payload, .. }) if of == stream => return !payload.is_empty(),
                // Headers that end the call.
                Some(Frame { kind: HEADERS, stream: of, flags, .. }) if of == stream && flags & END_STREAM > 0 => {
                    return false;
                }
                Some(Frame { kind: RST_STREAM, stream: of, .. }) if of == stream => return false,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// Throws away what has come so far.
    pub(super) async fn skip_what_came(&mut self) {
        let mut bytes = [0; 65_536];
        while self.stream.try_read(&mut bytes).is_ok_and(|read| read > 0) {}
    }
}
