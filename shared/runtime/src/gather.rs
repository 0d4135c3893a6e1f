//! Joins what a connection writes in one step of its work.
//!
//! The transport writes each message by itself and flushes after it. A step of a busy connection has many answers, and each
//! write is a call of the system that goes through all of TCP; so what is written is sent when the step is over.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// So many bytes are gathered at most; what is larger by itself is written as it is.
const MOST: usize = 64 << 10;

/// Where a connection writes to. Clones write to the same.
#[derive(Debug)]
pub(crate) struct Gather<W>(Arc<Mutex<Gathered<W>>>);

#[derive(Debug)]
struct Gathered<W> {
    inner: W,
    bytes: Vec<u8>,
    /// How many of them were sent.
    sent: usize,
}

impl<W> Clone for Gather<W> {
    fn clone(&self) -> Self {
        Gather(self.0.clone())
    }
}

impl<W: AsyncWrite + Unpin> Gather<W> {
    pub(crate) fn new(inner: W) -> Gather<W> {
        Gather(Arc::new(Mutex::new(Gathered { inner, bytes: Vec::new(), sent: 0 })))
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered<W>> {
        // What was gathered is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what was gathered, as far as the other side takes it; if it does not take all, the task is woken when it takes more.
    ///
    /// # Errors
    /// The system's, when the connection is broken.
    pub(crate) fn send(&self, context: &mut Context<'_>) -> io::Result<()> {
        match self.gathered().poll_send(context) {
            Poll::Ready(sent) => sent,
            Poll::Pending => Ok(()),
        }
    }
}

impl<W: AsyncWrite + Unpin> Gathered<W> {
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.bytes.len() {
            match ready!(Pin::new(&mut self.inner).poll_write(context, &self.bytes[self.sent..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.sent += sent,
            }
        }
        self.sent = 0;
        self.bytes.clear();
        // A connection that rests keeps no more than little.
        self.bytes.shrink_to(MOST / 16);
        Poll::Ready(Ok(()))
    }

    /// Makes room for so many bytes. Returns false if they are too many to gather.
    fn poll_room(&mut self, context: &mut Context<'_>, length: usize) -> Poll<io::Result<bool>> {
        if self.bytes.len() + length > MOST {
            ready!(self.poll_send(context))?;
        }
        Poll::Ready(Ok(length <= MOST))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Gather<W> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut gathered = self.gathered();
        let length = slices.iter().map(|slice| slice.len()).sum();
        if !ready!(gathered.poll_room(context, length))? {
            return Pin::new(&mut gathered.inner).poll_write_vectored(context, slices);
        }
        slices.iter().for_each(|slice| gathered.bytes.extend_from_slice(slice));
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was gathered is sent at the end of the step.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut gathered = self.gathered();
        ready!(gathered.poll_send(context))?;
        Pin::new(&mut gathered.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Sends what was gathered, as a connection's steps do, until it is all sent.
    async fn send<W: AsyncWrite + Unpin>(gather: &Gather<W>) {
        poll_fn(|context| gather.gathered().poll_send(context)).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_written_in_a_step_is_sent_at_once_and_in_order() {
        let (inner, mut other) = tokio::io::duplex(MOST * 4);
        let mut writer = Gather::new(inner);
        let mut read = [0; 6];
        for text in [b"ab", b"cd", b"ef"] {
            writer.write_all(text).await.unwrap();
            writer.flush().await.unwrap();
        }
        assert!(futures_util::FutureExt::now_or_never(other.read(&mut read)).is_none());
        send(&writer).await;
        other.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"abcdef");
    }

    #[tokio::test]
    async fn no_byte_is_lost_whatever_its_message_s_length_and_however_slow_the_reader() {
        let (inner, mut other) = tokio::io::duplex(1_000);
        let mut writer = Gather::new(inner);
        let lengths = [1, MOST - 1, 2, MOST, MOST + 1, 3 * MOST, 5, 0, 7];
        let reads = tokio::spawn(async move {
            let mut all = Vec::new();
            other.read_to_end(&mut all).await.unwrap();
            all
        });
        let mut expected = Vec::new();
        for (number, length) in lengths.into_iter().enumerate() {
            let message = vec![number as u8; length];
            writer.write_all(&message).await.unwrap();
            expected.extend(message);
        }
        writer.shutdown().await.unwrap();
        assert!(reads.await.unwrap() == expected);
    }

    #[tokio::test]
    async fn who_takes_nothing_is_waited_for() {
        let (inner, _other) = tokio::io::duplex(1_000);
        let mut writer = Gather::new(inner);
        writer.write_all(&[1; MOST]).await.unwrap();
        let more = futures_util::FutureExt::now_or_never(writer.write_all(&[2; MOST]));
        assert!(more.is_none(), "a second buffer was taken");
    }
}
