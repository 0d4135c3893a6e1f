//! A watcher's place in the log, and the text that names it.

use runtime::Tenant;
use store::PageToken;

use crate::movement::Number;

/// Where a watcher is, and since when it watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The log that it reads; see [`crate::log::End::epoch`].
    pub(crate) epoch: String,
    /// It has seen everything up to here.
    pub(crate) number: Number,
    /// It counts movements from here on, or from what it was told since. So that one that resumes counts as if it had
    /// never been away.
    pub(crate) origin: Number,
    /// Tells the filter and the threshold that it watches with. With others it counts from where it resumes.
    pub(crate) rule: u64,
}

impl Place {
    /// Writes the place as the text that clients keep.
    pub(crate) fn encode(&self, tenant: &Tenant) -> String {
        let numbers = [self.number.0, self.origin.0].map(|number| number.to_string());
        let rule = format!("{:016x}", self.rule);
        let after = [self.epoch.clone()].into_iter().chain(numbers).chain([rule]).collect();
        PageToken { list: list(tenant), after }.encode()
    }

    /// Reads a text; none if it is no place of this tenant.
    pub(crate) fn decode(text: &str, tenant: &Tenant) -> Option<Self> {
        let token = PageToken::decode(text, list(tenant)).ok()?;
        let [epoch, number, origin, rule] = <[String; 4]>::try_from(token.after).ok()?;
        let read = |text: String| text.parse().ok().filter(|number| (0..=Number::LAST.0).contains(number)).map(Number);
        let (number, origin) = (read(number)?, read(origin)?);
        let rule = u64::from_str_radix(&rule, 16).ok()?;
        (origin <= number).then_some(Self { epoch, number, origin, rule })
    }
}

/// Tells a filter and a threshold from others.
pub(crate) fn rule(filter: &str, threshold: f64) -> u64 {
    fingerprint(&[filter.as_bytes(), &threshold.to_bits().to_le_bytes()])
}

fn list(tenant: &Tenant) -> u64 {
    fingerprint(&[b"movements", tenant.as_str().as_bytes()])
}

/// FNV-1a, 64 bits: places are kept for days, and have to be read by later versions of this program.
fn fingerprint(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter().copied().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
