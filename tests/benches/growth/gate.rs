//! What the aggregator is told goes through here: it is counted, and held back while the services are measured alone.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::{self, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

const BYTES_AT_ONCE: usize = 64 * 1024;

/// A gate before one address.
pub(crate) struct Gate {
    address: String,
    is_open: watch::Sender<bool>,
    bytes: Arc<AtomicU64>,
}

impl Gate {
    /// An open gate.
    pub(crate) async fn before(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            is_open: watch::Sender::new(true),
            bytes: Arc::default(),
        };
        let (is_open, bytes) = (gate.is_open.clone(), gate.bytes.clone());
        tokio::spawn(async move {
            while let Ok((asking, _)) = listener.accept().await {
                let (target, is_open, bytes) = (target.clone(), is_open.subscribe(), bytes.clone());
                tokio::spawn(async move {
                    // Whoever asks asks again where it breaks off.
                    let _ = pass(asking, &target, is_open, &bytes).await;
                });
            }
        });
        gate
    }

    /// Where to go through.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Holds back all answers, or lets them pass.
    pub(crate) fn open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }

    /// How many bytes of answers have passed.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

async fn pass(
    asking: TcpStream,
    target: &str,
    mut is_open: watch::Receiver<bool>,
    bytes: &AtomicU64,
) -> io::Result<()> {
    let answering = TcpStream::connect(target).await?;
    asking.set_nodelay(true)?;
    answering.set_nodelay(true)?;
    let (mut asks, mut hears) = asking.into_split();
    let (mut answers, mut told) = answering.into_split();
    let back = async {
        let mut buffer = vec![0; BYTES_AT_ONCE];
        loop {
            let count = answers.read(&mut buffer).await?;
            if count == 0 || is_open.wait_for(|is_open| *is_open).await.is_err() {
                return io::Result::Ok(());
            }
            hears.write_all(&buffer[..count]).await?;
            bytes.fetch_add(count as u64, Ordering::Relaxed);
        }
    };
    tokio::select! {
        passed = io::copy(&mut asks, &mut told) => passed.map(|_| ()),
        passed = back => passed,
    }
}
