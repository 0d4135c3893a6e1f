//! The connections that read.
//!
//! As sqlx's own pool, with three differences. A connection that answered is used again as it is: a test of each would cost
//! a way to the server and back, which is what a read takes. One whose caller went away in the midst is tested before anybody
//! else gets it, and not for longer than a second: where the network swallows everything, a test would last for a quarter of
//! an hour, and a place among the connections be lost for as long. And where nobody listens the caller is told at once.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt as _, StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Any, AnyConnection, AssertSqlSafe, Connection as _, Either, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use crate::{
    Backend,
    connect::{CONNECTION_LIFETIME, IDLE_TIMEOUT, TEST_TIMEOUT, TESTED_AFTER},
};

/// Connections that are opened as they are needed and used again. Cheap to clone.
#[derive(Clone)]
pub struct Readers(Arc<Inner>);

struct Inner {
    backend: Backend,
    url: String,
    /// What each connection is told first.
    settings: String,
    /// How long a caller waits for a connection.
    patience: Duration,
    connections: u32,
    permits: Arc<Semaphore>,
    closed: AtomicBool,
    /// The one that was used last at the end.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AnyConnection,
    opened: Instant,
    used: Instant,
}

/// A connection in use. It goes back as it is dropped.
pub struct Reading {
    /// Until it is dropped.
    connection: Option<AnyConnection>,
    opened: Instant,
    /// Whether it answered all that it was asked.
    sound: bool,
    readers: Readers,
    permit: Option<OwnedSemaphorePermit>,
}

impl Readers {
    pub(crate) fn new(backend: Backend, url: String, settings: String, connections: u32, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            backend,
            url,
            settings,
            patience,
            connections,
            permits: Arc::new(Semaphore::new(connections as usize)),
            closed: AtomicBool::new(false),
            idle: Mutex::default(),
        }))
    }

    /// A connection, when one is free.
    ///
    /// # Errors
    /// [`sqlx::Error::PoolTimedOut`] if none is within the time; what the server says to a new one.
    pub async fn acquire(&self) -> Result<Reading, sqlx::Error> {
        timeout(self.0.patience, self.take()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn take(&self) -> Result<Reading, sqlx::Error> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(sqlx::Error::PoolClosed);
        }
        let permit = self.0.permits.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut reading = Reading {
            connection: None,
            opened: Instant::now(),
            sound: true,
            readers: self.clone(),
            permit: Some(permit),
        };
        while let Some(Idle { mut connection, opened, used }) = self.next_idle() {
            if self.0.backend == Backend::Postgres
                && (opened.elapsed() > CONNECTION_LIFETIME
                    || used.elapsed() > TESTED_AFTER && !is_sound(&mut connection).await)
            {
                continue;
            }
            reading.connection = Some(connection);
            reading.opened = opened;
            return Ok(reading);
        }
        let mut connection = AnyConnection::connect(&self.0.url).await?;
        connection.execute(AssertSqlSafe(self.0.settings.clone())).await?;
        reading.connection = Some(connection);
        Ok(reading)
    }

    /// Closes all connections, those in use as they are given back, and opens none any more.
    pub async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        // Those who wait get theirs first.
        let all = self.0.permits.clone().acquire_many_owned(self.0.connections).await;
        self.0.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            // The other side notices anyway.
            let _ = timeout(TEST_TIMEOUT, connection.close()).await;
        }
    }

    fn next_idle(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_back(&self, connection: AnyConnection, opened: Instant) {
        let mut idle = self.idle();
        idle.push(Idle { connection, opened, used: Instant::now() });
        // The one that was used least.
        if self.0.backend == Backend::Postgres && idle[0].used.elapsed() > IDLE_TIMEOUT {
            idle.remove(0);
        }
    }

    /// Runs something on a connection that is sound again when it is done.
    async fn with<T>(
        &self,
        run: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut reading = self.acquire().await?;
        let result = run(&mut reading).await;
        // What a server refuses does not hurt the connection, unless it ends it.
        reading.sound = result.is_ok();
        result
    }
}

async fn is_sound(connection: &mut AnyConnection) -> bool {
    matches!(timeout(TEST_TIMEOUT, connection.ping()).await, Ok(Ok(())))
}

impl fmt::Debug for Readers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL has the password.
        formatter.debug_struct("Readers").field("connections", &self.0.connections).finish_non_exhaustive()
    }
}

impl Reading {
    /// Gives it back, after all that it was asked was answered.
    pub fn done(mut self) {
        self.sound = true;
    }
}

impl Deref for Reading {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        self.connection.as_ref().expect("there is one until it is dropped")
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        self.sound = false;
        self.connection.as_mut().expect("there is one until it is dropped")
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let (readers, opened, permit) = (self.readers.clone(), self.opened, self.permit.take());
        if self.sound {
            readers.put_back(connection, opened);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if is_sound(&mut connection).await {
                    readers.put_back(connection, opened);
                }
                drop(permit);
            });
        }
    }
}

impl<'p> Executor<'p> for &'p Readers {
    type Database = Any;

    /// Everything is read before the first row is told of, so that a connection is not kept longer than it takes.
    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let run = self.with(async move |connection: &mut AnyConnection| {
            connection.fetch_many(query).try_collect::<Vec<_>>().await
        });
        run.map(|all| match all {
            Ok(all) => stream::iter(all.into_iter().map(Ok)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        })
        .flatten_stream()
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.with(async move |connection: &mut AnyConnection| connection.fetch_optional(query).await).boxed()
    }

    fn prepare_with<'e>(
        self,
        text: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        self.with(async move |connection: &mut AnyConnection| connection.prepare_with(text, parameters).await).boxed()
    }
}
