//! The threads that serve connections.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::queue::Queue;
use crate::telemetry::Telemetry;

/// Threads with a runtime of their own each, on which a connection and all its calls stay.
///
/// A call is mostly a hand-over: connection to handler and back. On a runtime that shares its tasks between threads each
/// hand-over may wake another thread, which costs more than a short handler does; on one thread it is a push to a queue.
/// What runs beside the connections (feeds, writers, standings) stays on the process's shared runtime, so that it does
/// not wait behind calls, nor they behind it.
///
/// Dropping it ends the threads, and with them whatever they still run.
#[derive(Debug)]
pub(crate) struct Threads {
    threads: Vec<Thread>,
}

#[derive(Debug)]
struct Thread {
    runtime: Handle,
    /// How many connections it serves.
    connections: Arc<AtomicUsize>,
    /// The calls that wait for it.
    queue: Arc<Queue>,
    /// Dropped, it ends the thread.
    _end: oneshot::Sender<()>,
}

/// A connection's place on a thread, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Threads {
    /// Starts so many threads, at least one.
    ///
    /// # Errors
    /// The system's, if it has no more threads or files to give.
    pub(crate) fn start(count: usize, telemetry: &Telemetry) -> io::Result<Threads> {
        let threads = (0..count.max(1)).map(|number| Thread::start(number, telemetry)).collect::<io::Result<_>>()?;
        Ok(Threads { threads })
    }

    /// Starts a connection on the thread that has the fewest, with the queue of that thread's calls.
    pub(crate) fn spawn<C>(&self, connections: &mut JoinSet<()>, connection: impl FnOnce(Arc<Queue>) -> C)
    where
        C: Future<Output = ()> + Send + 'static,
    {
        let least = self.threads.iter().min_by_key(|thread| thread.connections.load(Ordering::Relaxed));
        let Some(thread) = least else { return };
        let place = Place::take(&thread.connections);
        let connection = connection(thread.queue.clone());
        let served = async move {
            let _place = place;
            connection.await;
        };
        connections.spawn_on(served, &thread.runtime);
    }
}

impl Thread {
    fn start(number: usize, telemetry: &Telemetry) -> io::Result<Thread> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name(format!("connections-{number}")).spawn(move || {
            // The sender is never used, only dropped.
            let _ = runtime.block_on(ended);
            // A blocking task that hangs is left behind rather than waited for.
            runtime.shutdown_background();
        })?;
        let queue = Arc::new(Queue::new(Instant::now(), telemetry.clone()));
        Ok(Thread { runtime: handle, connections: Arc::default(), queue, _end: end })
    }
}

impl Place {
    fn take(connections: &Arc<AtomicUsize>) -> Place {
        connections.fetch_add(1, Ordering::Relaxed);
        Place(connections.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn connections_are_spread_over_the_threads_and_stay_where_they_are() {
        let threads = Threads::start(2, &Telemetry::off()).unwrap();
        let mut connections = JoinSet::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..6 {
            let seen = seen.clone();
            threads.spawn(&mut connections, |_| async move {
                let own = thread::current().id();
                let inner = tokio::spawn(async { thread::current().id() }).await.unwrap();
                seen.lock().unwrap().push((own, inner));
                std::future::pending::<()>().await;
            });
        }
        crate::testing::eventually(|| seen.lock().unwrap().len() == 6).await;
        let mut counts = std::collections::HashMap::new();
        for (own, inner) in seen.lock().unwrap().iter() {
            assert_eq!(own, inner);
            *counts.entry(*own).or_insert(0) += 1;
        }
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [3, 3]);

        // A place is given back when its connection ends.
        connections.shutdown().await;
        assert!(threads.threads.iter().all(|thread| thread.connections.load(Ordering::Relaxed) == 0));
    }
}
