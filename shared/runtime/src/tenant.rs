//! The tenant a call runs inside.

use std::fmt;
use std::sync::Arc;

use tonic::Request;

use crate::fault::{Fault, Violation, reason};

/// The metadata key that names the tenant.
pub(crate) const METADATA: &str = "rapport-tenant";
/// What stands for every tenant at once.
pub(crate) const WILDCARD: &str = "-";
const LONGEST: usize = 63;

/// The name of a tenant: 1 to 63 of `a-z`, `0-9` and `-`, not starting with `-`. Clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(Arc<str>);

/// Whose rows a call may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantScope {
    /// One tenant's.
    One(Tenant),
    /// Everyone's: the caller wrote `-`.
    All,
}

impl Tenant {
    /// Reads a tenant's name, or `None` when it is malformed.
    pub fn parse(name: &str) -> Option<Tenant> {
        let bytes = name.as_bytes();
        let well_formed = (1..=LONGEST).contains(&bytes.len())
            && bytes[0] != b'-'
            && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        well_formed.then(|| Tenant(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Tenant {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The tenant of a call, from its `rapport-tenant` metadata.
///
/// # Errors
/// INVALID_ARGUMENT with reason `ERROR_REASON_TENANT_INVALID` when it is missing or malformed; `-` counts as malformed here.
pub fn tenant<T>(request: &Request<T>) -> Result<Tenant, Fault> {
    let name = text(request)?;
    Tenant::parse(name).ok_or_else(|| invalid("must be 1 to 63 of a-z, 0-9 and -, starting with a letter or digit"))
}

/// The tenant of a call that may also ask for all of them with `-`. Whether the caller may is decided before the handler.
///
/// # Errors
/// As for [`tenant`].
pub fn tenant_or_all<T>(request: &Request<T>) -> Result<TenantScope, Fault> {
    if text(request)? == WILDCARD {
        return Ok(TenantScope::All);
    }
    tenant(request).map(TenantScope::One)
}

fn text<T>(request: &Request<T>) -> Result<&str, Fault> {
    let value = request.metadata().get(METADATA).ok_or_else(|| invalid("is required"))?;
    value.to_str().map_err(|_| invalid("must be plain text"))
}

fn invalid(description: &str) -> Fault {
    Fault::invalid(reason::TENANT_INVALID, vec![Violation::new(format!("metadata.{METADATA}"), description)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: Option<&str>) -> Request<()> {
        let mut request = Request::new(());
        if let Some(name) = name {
            request.metadata_mut().insert(METADATA, name.parse().unwrap());
        }
        request
    }

    #[test]
    fn well_formed_names_are_taken() {
        let longest = "a".repeat(63);
        for name in ["a", "0", "acme", "acme-2-eu", "9-", longest.as_str()] {
            assert_eq!(tenant(&request(Some(name))).unwrap().as_str(), name);
        }
    }

    #[test]
    fn missing_and_malformed_names_are_refused_with_their_field() {
        let too_long = "a".repeat(64);
        for name in
            [None, Some(""), Some("-"), Some("-a"), Some("Acme"), Some("a_b"), Some("a b"), Some(too_long.as_str())]
        {
            let fault = tenant(&request(name)).unwrap_err();
            assert_eq!(fault.code(), tonic::Code::InvalidArgument);
            assert_eq!(fault.reason(), reason::TENANT_INVALID);
            assert_eq!(fault.violations()[0].field, "metadata.rapport-tenant");
        }
    }

    #[test]
    fn all_tenants_are_asked_for_by_a_dash() {
        assert_eq!(tenant_or_all(&request(Some("-"))).unwrap(), TenantScope::All);
        let one = TenantScope::One(Tenant::parse("acme").unwrap());
        assert_eq!(tenant_or_all(&request(Some("acme"))).unwrap(), one);
        assert!(tenant_or_all(&request(None)).is_err());
    }
}
