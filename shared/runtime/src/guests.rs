//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::telemetry::{Telemetry, names};
use crate::throttle::Throttle;

/// Counts connections. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Guests {
    most: usize,
    most_of_one: usize,
    counts: Arc<Mutex<Counts>>,
    telemetry: Telemetry,
    lines: Arc<Throttle>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Guest {
    guests: Guests,
    address: IpAddr,
}

impl Guests {
    /// At most so many connections, and so many from one address.
    pub(crate) fn new(most: usize, most_of_one: usize, telemetry: Telemetry) -> Guests {
        Guests { most, most_of_one, counts: Arc::default(), telemetry, lines: Arc::default() }
    }

    /// Lets a connection in, unless there are as many as there may be.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Guest> {
        let address = group(address);
        let refused = {
            let mut counts = self.counts();
            let of_address = counts.of.get(&address).copied().unwrap_or_default();
            if counts.all >= self.most {
                Some(names::REFUSED_ALL)
            } else if of_address >= self.most_of_one {
                Some(names::REFUSED_ADDRESS)
            } else {
                counts.all += 1;
                counts.of.insert(address, of_address + 1);
                None
            }
        };
        if let Some(recorder) = &self.telemetry.recorder {
            match refused {
                Some(reason) => recorder.instruments.connection_refused(reason),
                None => recorder.instruments.connection_begins(),
            }
        }
        if let Some(reason) = refused {
            if let Some(unsaid) = self.lines.line() {
                tracing::warn!(limit = reason, unsaid, "refusing connections: there are as many as there may be");
            }
            return None;
        }
        Some(Guest { guests: self.clone(), address })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A count is whole between any two statements.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has one IPv6 address mostly has all of its first 64 bits.
fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.counts();
        counts.all -= 1;
        if let Some(count) = counts.of.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.of.remove(&self.address);
            }
        }
        drop(counts);
        if let Some(recorder) = &self.guests.telemetry.recorder {
            recorder.instruments.connection_ends();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_does_not_take_the_places_of_others() {
        let guests = Guests::new(3, 2, Telemetry::off());
        let first = guests.admit(address("10.0.0.1")).unwrap();
        let _second = guests.admit(address("::ffff:10.0.0.1")).unwrap();
        assert!(guests.admit(address("10.0.0.1")).is_none());
        let _other = guests.admit(address("10.0.0.2")).unwrap();
        assert!(guests.admit(address("10.0.0.3")).is_none());
        // A place that is given back is free again.
        drop(first);
        let _third = guests.admit(address("10.0.0.1")).unwrap();
        assert!(guests.admit(address("10.0.0.3")).is_none());
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one() {
        let guests = Guests::new(9, 1, Telemetry::off());
        let guest = guests.admit(address("2001:db8:0:1::1")).unwrap();
        assert!(guests.admit(address("2001:db8:0:1:ffff::2")).is_none());
        let _other = guests.admit(address("2001:db8:0:2::1")).unwrap();
        drop(guest);
        assert_eq!(guests.counts().of.len(), 1);
    }
}
