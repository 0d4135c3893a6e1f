//! A network between two processes that can be cut, stalled and slowed; and what stands before replicas.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::spawn_local,
};

/// What a network does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Network {
    /// It carries everything.
    Sound,
    /// Each piece arrives late.
    Slow(Duration),
    /// Nothing arrives, though both ends think that they are connected: from the caller, to it, or either way.
    Stalled { from_caller: bool, to_caller: bool },
    /// Connections are closed, and new ones too.
    Cut,
}

/// Carries what comes to a port to another.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: watch::Sender<Network>,
}

impl Proxy {
    /// Listens on a port and carries to one of others: to the next each time, and past those where nobody is.
    pub(crate) async fn start(port: u16, targets: Vec<u16>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let (state, network) = watch::channel(Network::Sound);
        spawn_local(async move {
            let mut targets = targets;
            while let Ok((caller, _)) = listener.accept().await {
                targets.rotate_left(1);
                spawn_local(connect(caller, targets.clone(), network.clone()));
            }
        });
        Ok(Self { port, state })
    }

    /// Makes the network so, for those connected too.
    pub(crate) fn set(&self, network: Network) {
        self.state.send_replace(network);
    }
}

async fn connect(caller: TcpStream, targets: Vec<u16>, network: watch::Receiver<Network>) {
    if *network.borrow() == Network::Cut {
        return;
    }
    let mut callee = None;
    for target in targets {
        if callee.is_none() {
            callee = TcpStream::connect(("127.0.0.1", target)).await.ok();
        }
    }
    let Some(callee) = callee else { return };
    // Small messages are not held back.
    let _ = (caller.set_nodelay(true), callee.set_nodelay(true));
    let (from_caller, to_caller) = caller.into_split();
    let (from_callee, to_callee) = callee.into_split();
    let mut ended = network.clone();
    tokio::select! {
        // As soon as one way is at its end, so is the connection.
        () = carry(from_caller, to_callee, network.clone(), true) => {}
        () = carry(from_callee, to_caller, network, false) => {}
        _ = ended.wait_for(|network| *network == Network::Cut) => {}
    }
}

/// Carries one way until that ends.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut network: watch::Receiver<Network>,
    is_from_caller: bool,
) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let is_open = |network: &Network| match network {
            Network::Stalled { from_caller, to_caller } => !(if is_from_caller { *from_caller } else { *to_caller }),
            _ => true,
        };
        let delay = match network.wait_for(is_open).await.map(|network| *network) {
            Ok(Network::Slow(delay)) => delay,
            Ok(_) => Duration::ZERO,
            Err(_) => return,
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
