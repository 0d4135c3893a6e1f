//! The story of a process, from its settings to its exit code.

use std::process::ExitCode;

use crate::app::{App, BoxError, Context};
use crate::clock::Clock;
use crate::server::{Server, ServerError};
use crate::settings::ServeSettings;
use crate::shutdown::signals;
use crate::telemetry::{self, Telemetry};

/// The exit code for a configuration that cannot work (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;

/// Runs a process to its end: telemetry, listener, services, signals, drain, flush.
///
/// `build` makes the services from the process's [`Context`]. A configuration that cannot work is told in one line on
/// stderr and exits with [`EXIT_USAGE`]; any other failure is logged and exits with 1. Telemetry is flushed either way.
pub fn run<B, F>(settings: ServeSettings, build: B) -> ExitCode
where
    B: FnOnce(Context) -> F,
    F: Future<Output = Result<App, BoxError>>,
{
    let settings = settings.with_standard_environment();
    if let Err(problems) = settings.validate() {
        return refuse(&problems.join("; "));
    }
    // One thread would deadlock when the exporters flush while it waits for them.
    let threads = std::thread::available_parallelism().map_or(2, |cpus| cpus.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(process(settings, build));
            // A computation that nobody waits for any more must not hold up the end.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            eprintln!("rapport: cannot start its threads: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn process<B, F>(settings: ServeSettings, build: B) -> ExitCode
where
    B: FnOnce(Context) -> F,
    F: Future<Output = Result<App, BoxError>>,
{
    let (telemetry, guard) = match telemetry::init(&settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(&error.to_string()),
    };
    let outcome = serve(settings, telemetry, build).await;
    if let Err(Failure::Stopped(error)) = &outcome {
        tracing::error!(error, "stopped by an error");
    }
    guard.shutdown().await;
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(problem)) => refuse(&problem),
        Err(Failure::Stopped(_)) => ExitCode::FAILURE,
    }
}

enum Failure {
    Usage(String),
    Stopped(BoxError),
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Failure {
        match error {
            ServerError::Settings(_) | ServerError::Auth(_) => Failure::Usage(error.to_string()),
            other => Failure::Stopped(other.into()),
        }
    }
}

async fn serve<B, F>(settings: ServeSettings, telemetry: Telemetry, build: B) -> Result<(), Failure>
where
    B: FnOnce(Context) -> F,
    F: Future<Output = Result<App, BoxError>>,
{
    let server = Server::bind(settings, Clock::system()).await?.with_telemetry(telemetry);
    let context = server.context();
    let shutdown = context.shutdown.clone();
    // From here on a signal drains instead of killing.
    let asked = signals().map_err(|error| Failure::Stopped(error.into()))?;
    let drain = shutdown.clone();
    tokio::spawn(async move {
        asked.await;
        tracing::info!("asked to stop, draining");
        drain.begin();
    });
    let app = tokio::select! {
        app = build(context) => app.map_err(Failure::Stopped)?,
        () = shutdown.wait() => return Ok(()),
    };
    tracing::info!(address = %server.local_addr(), services = app.services.join(","), "listening");
    server.serve(app).await?;
    tracing::info!("stopped");
    Ok(())
}

fn refuse(problem: &str) -> ExitCode {
    eprintln!("rapport: {problem}");
    ExitCode::from(EXIT_USAGE)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::testing::Suite;

    /// Set where the test binary plays the process.
    const CHILD: &str = "RAPPORT_TEST_PROCESS";

    #[test]
    fn a_configuration_that_cannot_work_exits_with_64() {
        let unused = |_| std::future::pending::<Result<App, BoxError>>();
        let contradictory = ServeSettings { trace_sample: 2.0, ..Suite::settings() };
        let code = run(contradictory, unused);
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(64)));
    }

    /// Not a test by itself: the process that the test below signals.
    #[test]
    fn a_process() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        let code = run(Suite::settings(), |context| async move {
            let mut app = App::new();
            app.background(context.shutdown.wait());
            Ok(app)
        });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    }

    #[test]
    fn a_process_tells_its_address_and_ends_on_sigterm() {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["run::tests::a_process", "--exact", "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        assert!(line.contains("listening") && line.contains("127.0.0.1:"), "{line}");

        let signalled = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
        assert!(signalled.success());
        let mut rest = String::new();
        log.read_to_string(&mut rest).unwrap();
        assert!(process.wait().unwrap().success(), "{rest}");
        assert!(rest.contains("asked to stop") && rest.contains("stopped"), "{rest}");
    }
}
