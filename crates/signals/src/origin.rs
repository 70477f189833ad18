//! The signal `origin`: where a person's connection comes from.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;

use crate::network::Network;
use crate::provider::{Answer, Asked, Provider, ProviderError, Question};

/// Says which address a person comes from, in which named networks it lies, and since when it is known.
///
/// Its value is `{"address", "networks": [names], "new": bool, "first_seen"?}`; `new` says that the person never
/// came from there before, `first_seen` when they first did.
#[derive(Clone, Debug)]
pub struct Origin {
    networks: BTreeMap<String, Vec<Network>>,
}

impl Origin {
    /// An origin with these named lists of networks.
    pub fn new(networks: BTreeMap<String, Vec<Network>>) -> Self {
        Self { networks }
    }
}

impl Provider for Origin {
    fn name(&self) -> &'static str {
        "origin"
    }

    fn time_to_live(&self) -> Duration {
        Duration::ZERO
    }

    fn cache_key(&self, question: &Question) -> String {
        format!("{} {:?}", question.person, question.address)
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asked<'a> {
        Box::pin(async move {
            let no_address = || ProviderError::NoAnswer("the connection has no address".to_owned());
            let address = question.address.ok_or_else(no_address)?.to_canonical();
            let within = |lists: &Vec<Network>| lists.iter().any(|network| network.contains(address));
            let networks: Vec<&str> = self
                .networks
                .iter()
                .filter(|(_, lists)| within(lists))
                .map(|(name, _)| name.as_str())
                .collect();
            let mut value = json!({
                "address": address.to_string(),
                "networks": networks,
                "new": question.first_seen.is_none(),
            });
            if let (Some(since), Some(members)) = (question.first_seen, value.as_object_mut()) {
                members.insert("first_seen".to_owned(), json!(since));
            }
            Ok(Answer { value, observed_at: question.now })
        })
    }
}

/// The proxies whose word about an address is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Takes the word of proxies in these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// The address that a connection comes from: the peer's, or, behind trusted proxies, the last address of
    /// `X-Forwarded-For` that is not one of theirs.
    ///
    /// INVARIANT: an address to the left of one that no trusted proxy wrote is never believed, since anybody can
    /// send it. A list that cannot be read gives no address at all.
    pub fn client_address(&self, peer: IpAddr, forwarded_for: &[&str]) -> Option<IpAddr> {
        if !self.trusts(peer) {
            return Some(peer);
        }
        let hops: Vec<&str> = forwarded_for.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut nearest = peer;
        for hop in hops.into_iter().rev() {
            nearest = hop.parse::<IpAddr>().ok()?.to_canonical();
            if !self.trusts(nearest) {
                return Some(nearest);
            }
        }
        Some(nearest)
    }

    /// Whether this is a proxy whose word is taken.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}
