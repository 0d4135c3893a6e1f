//! What a contact is: a person at the customer's.

use contracts::accounts::v1::Contact;
use methods::{Collection, Erasure, Index, Kind, Violations};
use prost::Message as _;
use prost_types::Timestamp;
use store::Table;

use crate::account;

pub(crate) static TABLE: Table = Table { name: "contacts" };

/// What a contact is.
pub(crate) static CONTACT: Kind<Contact> = Kind {
    name: "contact",
    table: &TABLE,
    collection: Collection::OfAccount("contacts"),
    updatable: &["display_name", "email", "phone", "role", "language_code", "met_time", "leave_time"],
    check,
    as_new: |contact| contact.erase_time = None,
    as_row: |contact| contact.erase_time = None,
    derive: |_| {},
    reading: None,
    index: |_| Index::default(),
    related: |tenant, key, _| vec![account::owner(tenant, key)],
    rules: |guard| {
        // A person that was erased does not come back, not even when the rows of an import are sent again.
        if let Some(erase_time) = guard.old.and_then(|old| old.erase_time) {
            erase(guard.new, erase_time);
        }
        account::check_owner(guard.rows, guard.key)
    },
};

/// How contacts are erased together with their account.
pub(crate) static ERASURE: Erasure<Contact> =
    Erasure { contact: |contact| &contact.name, erase_time: |contact| &mut contact.erase_time, empty, redact };

fn check(contact: &Contact, violations: &mut Violations) {
    let shortest = usize::from(contact.erase_time.is_none());
    violations.text("display_name", &contact.display_name, shortest, 256);
    violations.text("email", &contact.email, 0, 254);
    if !contact.email.is_empty() && !contact.email.contains('@') {
        violations.add("email", "must be an address such as name@example.org");
    }
    violations.text("phone", &contact.phone, 0, 32);
    violations.text("role", &contact.role, 0, 128);
    violations.text("language_code", &contact.language_code, 0, 35);
    violations.time("met_time", contact.met_time.as_ref());
    violations.time("leave_time", contact.leave_time.as_ref());
    violations.in_order("leave_time", contact.leave_time.as_ref(), "met_time", contact.met_time.as_ref());
}

/// Empties a contact of everything but when it came and went.
fn empty(contact: &mut Contact) {
    *contact = Contact {
        name: std::mem::take(&mut contact.name),
        etag: std::mem::take(&mut contact.etag),
        met_time: contact.met_time,
        leave_time: contact.leave_time,
        erase_time: contact.erase_time,
        ..Contact::default()
    };
}

/// Erases the person.
pub(crate) fn erase(contact: &mut Contact, at: Timestamp) {
    empty(contact);
    contact.erase_time.get_or_insert(at);
}

/// Erases the person from a document of the past.
pub(crate) fn redact(document: &[u8]) -> Vec<u8> {
    let mut contact = Contact::decode(document).unwrap_or_default();
    empty(&mut contact);
    contact.encode_to_vec()
}
