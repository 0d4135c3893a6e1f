//! Where clients find the services: any replica will do.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use contracts::assessments::v1::assessments_service_client::AssessmentsServiceClient;
use runtime::Peer;
use tests::{chance::Chance, resources::Clients};

/// How long a client waits for one attempt.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// The doors. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Doors {
    peers: Rc<BTreeMap<&'static str, Vec<Peer>>>,
}

impl Doors {
    pub(crate) fn new(ports: &[(&'static str, u16)]) -> Result<Self, String> {
        let mut peers: BTreeMap<&'static str, Vec<Peer>> = BTreeMap::new();
        for (service, port) in ports {
            let peer = runtime::peer(&format!("http://127.0.0.1:{port}"), None).map_err(|error| error.to_string())?;
            peers.entry(service).or_default().push(peer);
        }
        Ok(Self { peers: Rc::new(peers) })
    }

    /// A replica of a service.
    pub(crate) fn any(&self, service: &str, chance: &mut Chance) -> Peer {
        chance.one_of(&self.peers[service])
    }

    /// All replicas of a service.
    pub(crate) fn all(&self, service: &str) -> &[Peer] {
        &self.peers[service]
    }

    /// Clients of some replica of a service, for a tenant.
    pub(crate) fn clients(&self, service: &str, tenant: &'static str, chance: &mut Chance) -> Clients {
        Clients::of(self.any(service, chance), tenant)
    }

    /// A client of some replica of the aggregator.
    pub(crate) fn assessments(&self, chance: &mut Chance) -> AssessmentsServiceClient<Peer> {
        assessments(self.any("aggregator", chance))
    }
}

/// A client of an aggregator.
pub(crate) fn assessments(peer: Peer) -> AssessmentsServiceClient<Peer> {
    AssessmentsServiceClient::new(peer).max_decoding_message_size(64 << 20)
}
