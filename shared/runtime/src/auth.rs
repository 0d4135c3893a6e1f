//! Who may call, and for which tenants.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use tonic::Code;

use crate::fault::{Fault, reason};
use crate::secret::Secret;
use crate::tenant::{METADATA, Tenant, WILDCARD};

type Hash = [u8; 32];

/// The tokens a process accepts, known only by their digests.
///
/// A token is looked up by its SHA-256, so the time a look-up takes says nothing about the token.
#[derive(Clone, Debug, Default)]
pub struct AuthTokens {
    grants: HashMap<Hash, Grant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Grant {
    Every,
    Some(BTreeSet<String>),
}

/// Reads the one token of a file, without the white space around it.
///
/// # Errors
/// When the file is unreadable or empty.
pub(crate) fn load_token(path: &Path) -> Result<Secret, AuthError> {
    let text = read(path)?;
    let token = text.trim();
    if token.is_empty() { Err(AuthError::Empty) } else { Ok(Secret::new(token)) }
}

fn read(path: &Path) -> Result<String, AuthError> {
    std::fs::read_to_string(path).map_err(|source| AuthError::Unreadable { path: path.to_owned(), source })
}

/// Why a token file could not be used. It names lines, never their content.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The file could not be read.
    #[error("cannot read the token file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not a digest and tenants.
    #[error("line {line} of the token file {what}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong, continuing the sentence.
        what: &'static str,
    },
    /// A file without a single token would lock everyone out.
    #[error("the token file holds no token")]
    Empty,
}

impl AuthTokens {
    /// Reads a token file: a line per token, its SHA-256 in hex, then its tenants separated by commas, or `*` for all.
    /// Empty lines and what follows a `#` are skipped; a token on two lines has the tenants of both.
    ///
    /// # Errors
    /// When the file is unreadable, empty or malformed.
    pub fn load(path: &Path) -> Result<AuthTokens, AuthError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| AuthError::Unreadable { path: path.to_owned(), source })?;
        AuthTokens::parse(&text)
    }

    /// Reads the content of a token file.
    ///
    /// # Errors
    /// When it is empty or malformed.
    pub fn parse(text: &str) -> Result<AuthTokens, AuthError> {
        let mut tokens = AuthTokens::default();
        for (index, line) in text.lines().enumerate() {
            let malformed = |what| AuthError::Malformed { line: index + 1, what };
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (digest, tenants) =
                line.split_once(char::is_whitespace).ok_or_else(|| malformed("names no tenant after its digest"))?;
            let hash = parse_hex(digest).ok_or_else(|| malformed("does not start with a SHA-256 of 64 hex digits"))?;
            let grant = Grant::parse(tenants).ok_or_else(|| malformed("holds a malformed tenant"))?;
            tokens.add(hash, grant);
        }
        if tokens.grants.is_empty() { Err(AuthError::Empty) } else { Ok(tokens) }
    }

    /// Also accepts `token`, for every tenant: the suite's own, for the calls its services make to each other.
    pub fn with_internal(mut self, token: &Secret) -> AuthTokens {
        self.add(Sha256::digest(token.expose()).into(), Grant::Every);
        self
    }

    fn add(&mut self, hash: Hash, grant: Grant) {
        let merged = match (self.grants.remove(&hash), grant) {
            (Some(Grant::Some(mut before)), Grant::Some(now)) => {
                before.extend(now);
                Grant::Some(before)
            }
            (Some(Grant::Every), _) | (_, Grant::Every) => Grant::Every,
            (None, grant) => grant,
        };
        self.grants.insert(hash, merged);
    }

    /// Decides on a call by its headers. A call without a tenant passes: its handler says whether it needs one.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let grant =
            bearer(headers).and_then(|token| self.grants.get(&Hash::from(Sha256::digest(token)))).ok_or_else(|| {
                Fault::new(Code::Unauthenticated, reason::UNAUTHENTICATED, "a known bearer token is required")
            })?;
        // A client may repeat a header, so every value is checked rather than the one a handler happens to read.
        for tenant in headers.get_all(METADATA) {
            if !grant.covers(tenant.as_bytes()) {
                let name = String::from_utf8_lossy(tenant.as_bytes());
                let fault = Fault::new(
                    Code::PermissionDenied,
                    reason::TENANT_FORBIDDEN,
                    "the token does not cover this tenant",
                );
                return Err(fault.with("tenant", name));
            }
        }
        Ok(())
    }
}

impl Grant {
    fn parse(text: &str) -> Option<Grant> {
        if text.trim() == "*" {
            return Some(Grant::Every);
        }
        let names = text.split(',').map(|name| Tenant::parse(name.trim()).map(|tenant| tenant.to_string()));
        names.collect::<Option<BTreeSet<_>>>().map(Grant::Some)
    }

    fn covers(&self, tenant: &[u8]) -> bool {
        match self {
            Grant::Every => true,
            Grant::Some(_) if tenant == WILDCARD.as_bytes() => false,
            Grant::Some(tenants) => tenants.iter().any(|name| name.as_bytes() == tenant),
        }
    }
}

/// The token of `authorization: Bearer …`; the scheme's case does not matter (RFC 9110).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

fn parse_hex(text: &str) -> Option<Hash> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = Hash::default();
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::digest;

    fn headers(token: &str, tenants: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        for tenant in tenants {
            headers.append(METADATA, tenant.parse().unwrap());
        }
        headers
    }

    fn tokens() -> AuthTokens {
        let text = format!(
            "# staff\n{} *\n\n{}  acme, beta # two\n{} gamma\n",
            digest("root"),
            digest("both"),
            digest("both")
        );
        AuthTokens::parse(&text).unwrap()
    }

    #[test]
    fn a_token_reaches_its_tenants_and_no_other() {
        let tokens = tokens();
        for tenant in ["acme", "beta", "gamma"] {
            tokens.check(&headers("both", &[tenant])).unwrap();
        }
        tokens.check(&headers("both", &[])).unwrap();
        for tenant in ["delta", "-", "acm"] {
            let fault = tokens.check(&headers("both", &[tenant])).unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::PermissionDenied, reason::TENANT_FORBIDDEN));
        }
        tokens.check(&headers("both", &["acme", "delta"])).unwrap_err();
        tokens.check(&headers("root", &["-"])).unwrap();
    }

    #[test]
    fn strangers_are_refused() {
        let tokens = tokens();
        let mut basic = HeaderMap::new();
        basic.insert(AUTHORIZATION, "Basic root".parse().unwrap());
        for headers in [HeaderMap::new(), basic, headers("guess", &["acme"]), headers("", &[])] {
            let fault = tokens.check(&headers).unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::Unauthenticated, reason::UNAUTHENTICATED));
        }
    }

    #[test]
    fn an_internal_token_reaches_everything() {
        let secret = Secret::random();
        let tokens = tokens().with_internal(&secret);
        tokens.check(&headers(secret.expose(), &["-"])).unwrap();
    }

    #[test]
    fn a_bad_file_is_refused_by_line() {
        let error = AuthTokens::parse(&format!("{} *\nnonsense *", digest("a"))).unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the token file does not start with a SHA-256 of 64 hex digits");
        assert!(matches!(AuthTokens::parse("# nothing\n"), Err(AuthError::Empty)));
        assert!(AuthTokens::parse(&digest("a")).is_err());
        assert!(AuthTokens::parse(&format!("{} acme,,b", digest("a"))).is_err());
        let missing = AuthTokens::load(Path::new("/nowhere/tokens")).unwrap_err();
        assert!(missing.to_string().starts_with("cannot read the token file /nowhere/tokens"));
    }
}
