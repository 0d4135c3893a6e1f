//! The connection to a running suite: who asks, for which tenant, and how long they wait.

use std::{env, fs, path::PathBuf, sync::Arc, time::Duration};

use contracts::{
    assessments::v1::assessments_service_client::AssessmentsServiceClient,
    feedback::v1::feedback_service_client::FeedbackServiceClient,
    interactions::v1::interactions_service_client::InteractionsServiceClient,
    predictions::v1::predictions_service_client::PredictionsServiceClient,
    voice::v1::voice_service_client::VoiceServiceClient,
};
use runtime::{Methods, Retry, random_seed};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use wording::{Language, Words};

use crate::{commands::import::quoted, exit::Error};

/// The largest answer that is taken: a page of a thousand assessments is a few megabytes.
const LARGEST_ANSWER: usize = 64 << 20;
/// Where a suite listens unless it is told otherwise.
const ENDPOINT: &str = "http://127.0.0.1:7600";
/// The tenant of those who name none.
const TENANT: &str = "default";

/// Where to connect, and as whom.
#[derive(Clone, Debug, clap::Args)]
pub struct ConnectArgs {
    /// The address of the suite.
    #[arg(long, global = true, env = "RAPPORT_ENDPOINT", default_value = ENDPOINT, value_name = "URL")]
    pub endpoint: String,
    /// The tenant.
    #[arg(long, global = true, env = "RAPPORT_TENANT", default_value = TENANT)]
    pub tenant: String,
    /// A file with the bearer token to present.
    #[arg(long, global = true, env = "RAPPORT_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// How many seconds to wait for an answer. Imports and checks take as long as they take.
    #[arg(long, global = true, env = "RAPPORT_TIMEOUT", default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
    /// The language of what is told in plain words: en, hu, nl or pt. If left out, that of the locale where it is one of
    /// these, else English.
    #[arg(long, global = true, env = "RAPPORT_LANG", value_name = "LANG", value_parser = language)]
    pub lang: Option<Language>,
}

fn language(text: &str) -> Result<Language, String> {
    Language::of_tag(text).ok_or_else(|| "is none of en, hu, nl and pt".to_owned())
}

/// The language of a locale, by what the environment says of it, as POSIX has it: the first of LC_ALL, LC_MESSAGES and LANG
/// that is set. English needs no asking for.
fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Option<Language> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"))?;
    Language::of_tag(&locale).filter(|language| *language != Language::English)
}

impl ConnectArgs {
    /// The flags that a command line needs to connect to the same place as the same tenant, each followed by a space.
    pub(crate) fn flags(&self) -> String {
        let mut flags = String::new();
        let mut add = |flag: &str, value: &str| flags.push_str(&format!("{flag} {} ", quoted(value)));
        if self.endpoint != ENDPOINT {
            add("--endpoint", &self.endpoint);
        }
        if self.tenant != TENANT {
            add("--tenant", &self.tenant);
        }
        if let Some(path) = &self.token_file {
            add("--token-file", &path.display().to_string());
        }
        flags
    }
}

/// A channel that says who asks, and makes calls again where that is safe and may help.
pub type Service = InterceptedService<Retry<Channel>, Identity>;

/// A connection to a running suite.
#[derive(Clone, Debug)]
pub struct Connection {
    channel: Retry<Channel>,
    identity: Identity,
    timeout: Duration,
}

/// What the contract says of calls tells which may be made again.
fn retrying(channel: Channel) -> Retry<Channel> {
    let methods = Methods::of(contracts::DESCRIPTOR_SET).expect("the contract's own descriptor set is whole");
    Retry::new(channel, Arc::new(methods), random_seed())
}

impl Connection {
    /// Prepares a connection; it is made with the first call.
    pub fn open(args: &ConnectArgs) -> Result<Self, Error> {
        let token = match &args.token_file {
            None => None,
            Some(path) => {
                let token = fs::read_to_string(path);
                Some(token.map_err(|error| Error::NoInput(format!("{}: {error}", path.display())))?)
            }
        };
        let endpoint = Endpoint::from_shared(args.endpoint.clone())
            .map_err(|error| Error::Usage(format!("--endpoint {}: {error}", args.endpoint)))?
            .connect_timeout(Duration::from_secs(args.timeout.clamp(1, 10)))
            .http2_keep_alive_interval(Duration::from_secs(30))
            .tcp_nodelay(true);
        Ok(Self {
            channel: retrying(endpoint.connect_lazy()),
            identity: Identity {
                language: args.lang.or_else(|| of_locale(|name| env::var(name).ok())),
                ..Identity::new(&args.tenant, token.as_deref())?
            },
            timeout: Duration::from_secs(args.timeout.max(1)),
        })
    }

    /// A connection over a channel that stands already, for a tenant.
    pub fn over(channel: Channel, tenant: &str) -> Result<Self, Error> {
        Ok(Self {
            channel: retrying(channel),
            identity: Identity::new(tenant, None)?,
            timeout: Duration::from_secs(30),
        })
    }

    /// The words of the language that is asked for; none where none is.
    pub(crate) fn words(&self) -> Option<&'static Words> {
        self.identity.language.map(Words::of)
    }

    /// The channel, saying who asks.
    pub fn service(&self) -> Service {
        InterceptedService::new(self.channel.clone(), self.identity.clone())
    }

    /// A client of the assessments.
    pub fn assessments(&self) -> AssessmentsServiceClient<Service> {
        AssessmentsServiceClient::new(self.service()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// A client of the fits, back-tests and opportunities.
    pub fn predictions(&self) -> PredictionsServiceClient<Service> {
        PredictionsServiceClient::new(self.service()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// A client of what customers talk about, and of what improvements do.
    pub fn voice(&self) -> VoiceServiceClient<Service> {
        VoiceServiceClient::new(self.service()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// A client of feedback, themes and improvements.
    pub fn feedback(&self) -> FeedbackServiceClient<Service> {
        FeedbackServiceClient::new(self.service()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// A client of what is said, promised and offered.
    pub fn interactions(&self) -> InteractionsServiceClient<Service> {
        InteractionsServiceClient::new(self.service()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// A request that is given up after the connection's timeout.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        request
    }
}

/// Adds the tenant, the token and the language to each request.
#[derive(Clone, Debug)]
pub struct Identity {
    tenant: MetadataValue<Ascii>,
    authorization: Option<MetadataValue<Ascii>>,
    /// In which to be answered; the suite's own choice if none is named.
    language: Option<Language>,
}

impl Identity {
    fn new(tenant: &str, token: Option<&str>) -> Result<Self, Error> {
        let authorization = match token {
            None => None,
            Some(token) => {
                let value = format!("Bearer {}", token.trim()).parse::<MetadataValue<Ascii>>();
                let mut value = value.map_err(|_| Error::Usage("the token file does not hold a token".to_owned()))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let wrong = |_| Error::Usage(format!("--tenant {tenant:?}: only visible ASCII characters"));
        Ok(Self { tenant: tenant.parse().map_err(wrong)?, authorization, language: None })
    }
}

impl Interceptor for Identity {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("rapport-tenant", self.tenant.clone());
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        if let Some(language) = self.language {
            request.metadata_mut().insert("accept-language", MetadataValue::from_static(language.code()));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_names_the_language_unless_it_is_english_or_none_of_these() {
        let of = |set: &[(&str, &str)]| {
            of_locale(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("LANG", "hu_HU.UTF-8")]), Some(Language::Hungarian));
        assert_eq!(of(&[("LANG", "hu_HU.UTF-8"), ("LC_MESSAGES", "pt_BR")]), Some(Language::Portuguese));
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "nl_NL")]), None);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "nl_NL@euro")]), Some(Language::Dutch));
        for english in ["en_GB.UTF-8", "C.UTF-8", "POSIX", "de_DE", ""] {
            assert_eq!(of(&[("LANG", english)]), None, "{english}");
        }
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_language_goes_with_each_request() {
        let identity = Identity::new("acme", None).expect("an identity");
        let asked = |identity: &Identity| {
            let request = identity.clone().call(Request::new(())).expect("a request");
            request.metadata().get("accept-language").map(|value| value.to_str().expect("text").to_owned())
        };
        assert_eq!(asked(&identity), None);
        assert_eq!(asked(&Identity { language: Some(Language::Dutch), ..identity }).as_deref(), Some("nl"));
        assert_eq!(language("pt-BR"), Ok(Language::Portuguese));
        assert!(language("deutsch").is_err());
    }
}
