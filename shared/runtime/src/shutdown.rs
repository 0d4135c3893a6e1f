//! The one signal on which streams, background tasks and the server end.

use std::sync::Arc;

use tokio::sync::watch;

/// A switch that is thrown once. Clones are cheap and share it.
#[derive(Clone, Debug)]
pub struct Shutdown {
    begun: Arc<watch::Sender<bool>>,
}

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown::new()
    }
}

impl Shutdown {
    /// A switch not yet thrown.
    pub fn new() -> Shutdown {
        Shutdown { begun: Arc::new(watch::Sender::new(false)) }
    }

    /// Throws the switch; throwing it again changes nothing.
    pub fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether the switch has been thrown.
    pub fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Returns once the switch is thrown, at once when it already is. The future owns what it needs, so it may be spawned.
    pub fn wait(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut begun = self.begun.subscribe();
        async move {
            // A receiver errs when every switch is gone; then nothing can throw it and nobody should wait.
            let _ = begun.wait_for(|begun| *begun).await;
        }
    }
}

/// Listens for SIGINT and SIGTERM from the moment it is called; the future returns on the first. A second one ends the
/// process at once, with the shell's code for an interrupt. It must be called on a Tokio runtime.
///
/// # Errors
/// When the process may not listen for signals.
pub fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut signals = Signals::listen()?;
    Ok(async move {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            tracing::warn!("second signal, leaving at once");
            std::process::exit(130);
        });
    })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // Without a way to listen for Ctrl-C there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_clone_sees_the_switch() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn(shutdown.wait());
        assert!(!shutdown.has_begun());
        shutdown.clone().begin();
        waiting.await.unwrap();
        shutdown.wait().await;
        assert!(shutdown.has_begun());
    }
}
