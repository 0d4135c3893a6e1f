//! Where the services keep what they own.

use std::{fmt::Write as _, path::PathBuf};

use runtime::BoxError;

use crate::serve::Service;

/// The databases of the services.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DatabaseArgs {
    /// One PostgreSQL database for all services that have no URL of their own, `postgres://…`: each has a schema there that is
    /// named as the service, and created if absent.
    #[arg(long, env = "RAPPORT_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// File holding the password of those PostgreSQL databases whose URL has none.
    #[arg(long, env = "RAPPORT_DATABASE_PASSWORD", value_name = "FILE")]
    pub database_password: Option<PathBuf>,
    /// The database of accounts, `sqlite:PATH` or `postgres://…`; a SQLite file in the data directory if unset.
    #[arg(long, env = "RAPPORT_ACCOUNTS_DATABASE", value_name = "URL", hide_env_values = true)]
    pub accounts_database: Option<String>,
    /// The database of orders.
    #[arg(long, env = "RAPPORT_ORDERS_DATABASE", value_name = "URL", hide_env_values = true)]
    pub orders_database: Option<String>,
    /// The database of interactions.
    #[arg(long, env = "RAPPORT_INTERACTIONS_DATABASE", value_name = "URL", hide_env_values = true)]
    pub interactions_database: Option<String>,
    /// The database of feedback.
    #[arg(long, env = "RAPPORT_FEEDBACK_DATABASE", value_name = "URL", hide_env_values = true)]
    pub feedback_database: Option<String>,
    /// The database of the aggregator.
    #[arg(long, env = "RAPPORT_AGGREGATOR_DATABASE", value_name = "URL", hide_env_values = true)]
    pub aggregator_database: Option<String>,
}

impl DatabaseArgs {
    /// The URL of a service's database; none for a SQLite file in the data directory.
    ///
    /// # Errors
    /// If the password cannot be read, or the database that all share is none that can be shared.
    pub fn of(&self, service: Service) -> Result<Option<String>, BoxError> {
        let (own, schema) = match service {
            Service::Accounts => (&self.accounts_database, "accounts"),
            Service::Orders => (&self.orders_database, "orders"),
            Service::Interactions => (&self.interactions_database, "interactions"),
            Service::Feedback => (&self.feedback_database, "feedback"),
            Service::Aggregator => (&self.aggregator_database, "aggregator"),
        };
        let url = match (own, &self.database) {
            (Some(url), _) => url.clone(),
            (None, Some(url)) if is_server(url) => with_parameter(url, "schema", schema),
            (None, Some(_)) => {
                return Err("--database takes the postgres:// URL of a server that all services share".into());
            }
            (None, None) => return Ok(None),
        };
        match &self.database_password {
            Some(file) if is_server(&url) && !has_password(&url) => {
                let password = std::fs::read_to_string(file)
                    .map_err(|error| format!("cannot read the password in {}: {error}", file.display()))?;
                Ok(Some(with_parameter(&url, "password", &encoded(password.trim_end_matches(['\r', '\n'])))))
            }
            _ => Ok(Some(url)),
        }
    }
}

fn is_server(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn has_password(url: &str) -> bool {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let user = address.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map_or("", |(user, _)| user);
    user.contains(':') || parameters.split('&').any(|parameter| parameter.starts_with("password="))
}

fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{name}={value}")
}

/// Encodes a text for a URL's parameter.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_database_has_a_schema_for_each_service_without_its_own() {
        let args = DatabaseArgs {
            database: Some("postgres://me@host/db?sslmode=require".to_owned()),
            orders_database: Some("sqlite:orders.db".to_owned()),
            ..DatabaseArgs::default()
        };
        let of = |service| args.of(service).unwrap().unwrap();
        assert_eq!(of(Service::Accounts), "postgres://me@host/db?sslmode=require&schema=accounts");
        assert_eq!(of(Service::Orders), "sqlite:orders.db");
        let file = DatabaseArgs { database: Some("sqlite:all.db".to_owned()), ..DatabaseArgs::default() };
        assert!(file.of(Service::Accounts).is_err());
        assert_eq!(DatabaseArgs::default().of(Service::Accounts).unwrap(), None);
    }

    #[test]
    fn a_password_comes_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "a&b=ü c\n").unwrap();
        let args = |url: &str| DatabaseArgs {
            database: Some(url.to_owned()),
            database_password: Some(file.clone()),
            ..DatabaseArgs::default()
        };
        let of = |url: &str| args(url).of(Service::Feedback).unwrap().unwrap();
        assert_eq!(of("postgres://me@host/db"), "postgres://me@host/db?schema=feedback&password=a%26b%3D%C3%BC%20c");
        assert_eq!(of("postgres://me:own@host/db"), "postgres://me:own@host/db?schema=feedback");
        assert_eq!(of("postgres://host/db?password=own"), "postgres://host/db?password=own&schema=feedback");
        std::fs::remove_file(&file).unwrap();
        let error = args("postgres://me@host/db").of(Service::Feedback).unwrap_err().to_string();
        assert!(error.contains("cannot read the password"), "{error}");
    }
}
