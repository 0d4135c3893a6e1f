//! Counts the frames of a connection that ask for work and carry none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

/// Of PING, SETTINGS, PRIORITY, RST_STREAM and frames of unknown types together, so many may come within [`WITHIN`].
///
/// Clients that measure their line send a PING with each answer that they read, and one that gives up all its calls resets
/// them all: some thousands a second at most. The transport below limits resets of calls not yet begun and frames that
/// continue headers; it answers any number of PINGs.
const MOST: u32 = 20_000;
const WITHIN: Duration = Duration::from_secs(10);
/// The length of a frame's header: three bytes of length, one of type, flags, and the stream.
const HEADER: usize = 9;

pin_project! {
    /// What a client sends after its preface, frame by frame. Too many control frames are an error, which ends the connection.
    pub(crate) struct Frames<R> {
        #[pin]
        inner: R,
        header: [u8; HEADER],
        have: usize,
        payload: usize,
        count: u32,
        since: Instant,
    }
}

impl<R> Frames<R> {
    pub(crate) fn new(inner: R) -> Frames<R> {
        Frames { inner, header: [0; HEADER], have: 0, payload: 0, count: 0, since: Instant::now() }
    }
}

impl<R: AsyncRead> AsyncRead for Frames<R> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        std::task::ready!(this.inner.poll_read(context, buffer))?;
        let mut bytes = buffer.filled().get(before..).unwrap_or_default();
        while !bytes.is_empty() {
            if *this.payload > 0 {
                let skipped = bytes.len().min(*this.payload);
                *this.payload -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = bytes.len().min(HEADER - *this.have);
            this.header[*this.have..*this.have + taken].copy_from_slice(&bytes[..taken]);
            *this.have += taken;
            bytes = &bytes[taken..];
            if *this.have == HEADER {
                *this.have = 0;
                let [high, middle, low, kind, ..] = *this.header;
                *this.payload = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                // All but DATA, HEADERS, PUSH_PROMISE, GOAWAY, WINDOW_UPDATE and CONTINUATION.
                *this.count += u32::from(!matches!(kind, 0 | 1 | 5 | 7 | 8 | 9));
            }
        }
        if *this.count > MOST {
            let now = Instant::now();
            if now.saturating_duration_since(*this.since) < WITHIN {
                return Poll::Ready(Err(io::Error::other("too many control frames")));
            }
            (*this.count, *this.since) = (0, now);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
        [&length[..], &[kind, 0, 0, 0, 0, 1], payload].concat()
    }

    /// Reads frames in pieces of some size; how many bytes came through.
    async fn read(frames: &[u8], piece: usize) -> io::Result<usize> {
        let mut reader = Frames::new(frames);
        let mut buffer = vec![0; piece];
        let mut sum = 0;
        loop {
            match reader.read(&mut buffer).await? {
                0 => return Ok(sum),
                read => sum += read,
            }
        }
    }

    #[tokio::test]
    async fn control_frames_are_counted_wherever_the_reads_end() {
        let pings = frame(6, &[6; 8]).repeat(MOST as usize);
        for piece in [1, 7, 9, 17, 1_000, 65_536] {
            assert_eq!(read(&pings, piece).await.unwrap(), pings.len());
            let one_more = [pings.clone(), frame(6, &[6; 8])].concat();
            assert_eq!(read(&one_more, piece).await.unwrap_err().to_string(), "too many control frames");
        }
    }

    #[tokio::test]
    async fn what_looks_like_a_control_frame_inside_a_message_is_none() {
        let data = frame(0, &frame(6, &[6; 8]).repeat(20));
        let many = data.repeat(MOST as usize / 10);
        assert_eq!(read(&many, 4_096).await.unwrap(), many.len());
    }
}
