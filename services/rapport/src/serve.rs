//! `rapport serve`: runs all five services in one process, or those named.

use std::process::ExitCode;

use aggregator::PeerAddresses;
use clap::ValueEnum;
use runtime::{App, BoxError, Context, ServeSettings};

use crate::{databases::DatabaseArgs, output};

/// A service of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// Who the parties are.
    Accounts,
    /// What is ordered, delivered, paid and returned.
    Orders,
    /// What the parties say to, promise and offer each other.
    Interactions,
    /// What customers think of it all.
    Feedback,
    /// Assessments.
    Aggregator,
}

/// What `serve` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// The services to run; all five if none is named.
    #[arg(value_enum, value_name = "SERVICE")]
    services: Vec<Service>,
    #[command(flatten)]
    suite: SuiteArgs,
    #[command(flatten)]
    settings: ServeSettings,
}

/// Where the services keep what they own, and where they find each other.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SuiteArgs {
    /// Where the services keep what they own.
    #[command(flatten)]
    pub databases: DatabaseArgs,
    /// The address of accounts, where it does not run in this process. For orders and the aggregator.
    #[arg(long, env = "RAPPORT_ACCOUNTS_ENDPOINT", value_name = "URL")]
    accounts_endpoint: Option<String>,
    /// The address of orders. For the aggregator.
    #[arg(long, env = "RAPPORT_ORDERS_ENDPOINT", value_name = "URL")]
    orders_endpoint: Option<String>,
    /// The address of interactions. For the aggregator.
    #[arg(long, env = "RAPPORT_INTERACTIONS_ENDPOINT", value_name = "URL")]
    interactions_endpoint: Option<String>,
    /// The address of feedback. For the aggregator.
    #[arg(long, env = "RAPPORT_FEEDBACK_ENDPOINT", value_name = "URL")]
    feedback_endpoint: Option<String>,
}

/// Runs the services until a signal asks to stop.
pub fn run(args: ServeArgs) -> ExitCode {
    let services = match args.services.as_slice() {
        [] => Service::value_variants().to_vec(),
        named => named.to_vec(),
    };
    let missing = args.suite.missing(&services);
    if !missing.is_empty() {
        output::note(&format!("rapport: {} runs elsewhere: name it with {}", missing[0].0, missing[0].1));
        return ExitCode::from(runtime::EXIT_USAGE);
    }
    if let Some(problem) = relay::problem(&args.settings.feed) {
        output::note(&format!("rapport: {problem}"));
        return ExitCode::from(runtime::EXIT_USAGE);
    }
    runtime::run(args.settings, |context| async move { args.suite.build(&context, &services).await })
}

impl SuiteArgs {
    /// The services that others need, but that neither run here nor have an address; with the flag that gives it.
    fn missing(&self, services: &[Service]) -> Vec<(&'static str, &'static str)> {
        let aggregates = services.contains(&Service::Aggregator);
        let takes_orders = services.contains(&Service::Orders);
        let needed = [
            (aggregates || takes_orders, Service::Accounts, &self.accounts_endpoint, "accounts", "--accounts-endpoint"),
            (aggregates, Service::Orders, &self.orders_endpoint, "orders", "--orders-endpoint"),
            (aggregates, Service::Interactions, &self.interactions_endpoint, "interactions", "--interactions-endpoint"),
            (aggregates, Service::Feedback, &self.feedback_endpoint, "feedback", "--feedback-endpoint"),
        ];
        needed
            .into_iter()
            .filter(|(needed, service, endpoint, ..)| *needed && endpoint.is_none() && !services.contains(service))
            .map(|(_, _, _, name, flag)| (name, flag))
            .collect()
    }

    /// Opens the databases and mounts the services.
    ///
    /// # Errors
    /// If a database cannot be opened or an address is none.
    pub async fn build(&self, context: &Context, services: &[Service]) -> Result<App, BoxError> {
        let mut app = App::new();
        for service in services {
            let database = self.databases.of(*service)?;
            let database = database.as_deref();
            match service {
                Service::Accounts => accounts::build(&mut app, context, database).await?,
                Service::Orders => {
                    orders::build(&mut app, context, database, self.accounts_endpoint.as_deref()).await?;
                }
                Service::Interactions => interactions::build(&mut app, context, database).await?,
                Service::Feedback => feedback::build(&mut app, context, database).await?,
                Service::Aggregator => {
                    let peers = PeerAddresses {
                        accounts: self.accounts_endpoint.clone(),
                        orders: self.orders_endpoint.clone(),
                        interactions: self.interactions_endpoint.clone(),
                        feedback: self.feedback_endpoint.clone(),
                    };
                    aggregator::build(&mut app, context, database, &peers).await?;
                }
            }
        }
        Ok(app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_alone_needs_the_addresses_of_those_it_follows() {
        let mut suite = SuiteArgs::default();
        assert_eq!(suite.missing(Service::value_variants()), []);
        assert_eq!(suite.missing(&[Service::Feedback]), []);
        assert_eq!(suite.missing(&[Service::Orders]), [("accounts", "--accounts-endpoint")]);
        suite.accounts_endpoint = Some("http://accounts:7600".to_owned());
        assert_eq!(suite.missing(&[Service::Orders]), []);
        assert_eq!(suite.missing(&[Service::Aggregator]).len(), 3);
    }
}
