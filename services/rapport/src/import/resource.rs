//! What can be imported: the four kinds, their resources, and the flat names of their fields.

use std::fmt;

use prost_reflect::{Kind as FieldKind, MessageDescriptor};

use super::target::{Aim, Target};
use crate::contract;

/// What a file holds: the rows of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Accounts, contacts and milestones.
    Accounts,
    /// Orders.
    Orders,
    /// Interactions, commitments and competitor offers.
    Interactions,
    /// Feedback, themes and improvements.
    Feedback,
}

impl Kind {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Orders => "orders",
            Self::Interactions => "interactions",
            Self::Feedback => "feedback",
        }
    }

    /// The import method, as gRPC calls it.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Accounts => "/rapport.accounts.v1.AccountsService/ImportAccounts",
            Self::Orders => "/rapport.orders.v1.OrdersService/ImportOrders",
            Self::Interactions => "/rapport.interactions.v1.InteractionsService/ImportInteractions",
            Self::Feedback => "/rapport.feedback.v1.FeedbackService/ImportFeedback",
        }
    }

    /// The method that takes an import back.
    pub(crate) fn undo_method(self) -> &'static str {
        match self {
            Self::Accounts => "/rapport.accounts.v1.AccountsService/UndoAccountsImport",
            Self::Orders => "/rapport.orders.v1.OrdersService/UndoOrdersImport",
            Self::Interactions => "/rapport.interactions.v1.InteractionsService/UndoInteractionsImport",
            Self::Feedback => "/rapport.feedback.v1.FeedbackService/UndoFeedbackImport",
        }
    }

    /// The type of a row.
    pub(crate) fn row(self) -> MessageDescriptor {
        contract::message(match self {
            Self::Accounts => "rapport.accounts.v1.AccountsRow",
            Self::Orders => "rapport.orders.v1.OrdersRow",
            Self::Interactions => "rapport.interactions.v1.InteractionsRow",
            Self::Feedback => "rapport.feedback.v1.FeedbackRow",
        })
    }

    /// The resource that a row is, unless it says otherwise.
    pub(crate) fn resource(self) -> &'static Resource {
        let first = RESOURCES.iter().find(|resource| resource.kind == self);
        first.expect("each kind has resources")
    }

    /// The resource of this kind with this name.
    pub(crate) fn resource_named(self, name: &str) -> Result<&'static Resource, String> {
        let mut own = RESOURCES.iter().filter(|resource| resource.kind == self);
        own.clone().find(|resource| resource.name == name).ok_or_else(|| {
            let names: Vec<&str> = own.by_ref().map(|resource| resource.name).collect();
            format!("`{name}` is not one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A resource that rows can be.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    /// The field of the row that holds it.
    pub(crate) name: &'static str,
    /// The segment of its name before its id; empty for an account, whose id the name begins with.
    pub(crate) collection: &'static str,
    /// Whether it belongs to an account.
    pub(crate) of_account: bool,
    /// The flat names, those that a flat file must have first.
    pub(crate) flat: &'static [Flat],
    /// What a mapping must feed.
    pub(crate) required: &'static [&'static str],
}

/// A field by its name in flat files.
#[derive(Debug)]
pub(crate) struct Flat {
    pub(crate) name: &'static str,
    pub(crate) aim: FlatAim,
    /// Whether a flat file must have the column.
    pub(crate) required: bool,
}

/// Where the text of a flat field goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FlatAim {
    Account,
    Id,
    Currency,
    Path(&'static str),
    /// A resource of the same account in this collection, by id or full name.
    Reference(&'static str, &'static str),
    Scale,
    About,
    PaidAt,
    ReturnedBecause,
}

use FlatAim::{About, Account, Currency, Id, PaidAt, Path, Reference, ReturnedBecause, Scale};

const fn must(name: &'static str, aim: FlatAim) -> Flat {
    Flat { name, aim, required: true }
}

const fn may(name: &'static str, aim: FlatAim) -> Flat {
    Flat { name, aim, required: false }
}

/// Every resource, the first of each kind being its default.
static RESOURCES: [Resource; 10] = [
    Resource {
        kind: Kind::Accounts,
        name: "account",
        collection: "",
        of_account: true,
        flat: &[
            must("account_id", Account),
            must("display_name", Path("display_name")),
            must("opened_at", Path("open_time")),
            must("currency", Path("currency_code")),
            may("country", Path("region_code")),
            may("segment", Path("segment")),
            may("referred_by", Reference("referred_by", "")),
        ],
        required: &["account_id", "display_name", "currency_code"],
    },
    Resource {
        kind: Kind::Accounts,
        name: "contact",
        collection: "contacts",
        of_account: true,
        flat: &[must("contact_id", Id), must("account_id", Account)],
        required: &["contact_id", "account_id", "display_name"],
    },
    Resource {
        kind: Kind::Accounts,
        name: "milestone",
        collection: "milestones",
        of_account: true,
        flat: &[must("milestone_id", Id), must("account_id", Account)],
        required: &["milestone_id", "account_id", "title", "party"],
    },
    Resource {
        kind: Kind::Orders,
        name: "order",
        collection: "orders",
        of_account: true,
        flat: &[
            must("order_id", Id),
            must("account_id", Account),
            must("placed_at", Path("place_time")),
            must("total", Path("total")),
            must("currency", Currency),
            may("list_total", Path("list_total")),
            may("cost", Path("cost")),
            may("channel", Path("placement.channel")),
            may("attempts", Path("placement.attempts")),
            may("corrections", Path("placement.corrections")),
            may("started_at", Path("placement.start_time")),
            may("promised_at", Path("fulfilment.promise_time")),
            may("shipped_at", Path("fulfilment.ship_time")),
            may("delivered_at", Path("fulfilment.deliver_time")),
            may("quantity_ordered", Path("fulfilment.ordered_quantity")),
            may("quantity_delivered", Path("fulfilment.delivered_quantity")),
            may("quantity_damaged", Path("fulfilment.damaged_quantity")),
            may("due_at", Path("payment.due_time")),
            may("paid_at", PaidAt),
            may("cancelled_at", Path("cancellation.cancel_time")),
            may("cancelled_by", Path("cancellation.party")),
            may("returned_at", Path("returns.return_time")),
            may("returned_total", Path("returns.amount")),
            may("returned_because", ReturnedBecause),
        ],
        required: &["order_id", "account_id", "place_time", "total", "currency"],
    },
    Resource {
        kind: Kind::Interactions,
        name: "interaction",
        collection: "interactions",
        of_account: true,
        flat: &[
            must("interaction_id", Id),
            must("account_id", Account),
            must("at", Path("happen_time")),
            must("party", Path("party")),
            must("channel", Path("channel")),
            must("purpose", Path("purpose")),
            may("thread_id", Path("thread")),
            may("in_reply_to", Reference("in_reply_to", "interactions")),
            may("contact", Reference("contact", "contacts")),
            may("subject", Path("subject")),
            may("text", Path("text")),
            may("sentiment", Path("sentiment")),
            may("duration_seconds", Path("duration")),
            may("resolved_at", Path("resolve_time")),
            may("intent", Path("intent")),
            may("intent_met", Path("intent_met")),
        ],
        required: &["interaction_id", "account_id", "happen_time", "party", "channel", "purpose"],
    },
    Resource {
        kind: Kind::Interactions,
        name: "commitment",
        collection: "commitments",
        of_account: true,
        flat: &[must("commitment_id", Id), must("account_id", Account)],
        required: &["commitment_id", "account_id", "party", "description", "make_time"],
    },
    Resource {
        kind: Kind::Interactions,
        name: "competitor_offer",
        collection: "competitorOffers",
        of_account: true,
        flat: &[must("competitor_offer_id", Id), must("account_id", Account)],
        required: &["competitor_offer_id", "account_id", "competitor", "learn_time"],
    },
    Resource {
        kind: Kind::Feedback,
        name: "feedback",
        collection: "feedback",
        of_account: true,
        flat: &[
            must("feedback_id", Id),
            must("account_id", Account),
            must("at", Path("happen_time")),
            must("kind", Path("kind")),
            must("score", Path("score")),
            must("scale", Scale),
            may("text", Path("text")),
            may("about", About),
            may("sentiment", Path("sentiment")),
            may("contact", Reference("contact", "contacts")),
        ],
        required: &["feedback_id", "account_id", "happen_time", "kind"],
    },
    Resource {
        kind: Kind::Feedback,
        name: "theme",
        collection: "themes",
        of_account: false,
        flat: &[must("theme_id", Id)],
        required: &["theme_id", "display_name"],
    },
    Resource {
        kind: Kind::Feedback,
        name: "improvement",
        collection: "improvements",
        of_account: false,
        flat: &[must("improvement_id", Id)],
        required: &["improvement_id", "kind", "title"],
    },
];

impl Resource {
    /// The type of the resource.
    pub(crate) fn message(&self) -> MessageDescriptor {
        let field = self.kind.row().get_field_by_name(self.name);
        match field.expect("a resource is a field of its row").kind() {
            FieldKind::Message(of) => of,
            other => unreachable!("a resource is a message, not {other:?}"),
        }
    }

    /// The target of this name: a flat name, or a path of fields joined by dots such as `fulfilment.promise_time`.
    pub(crate) fn target(&self, name: &str) -> Result<Target, String> {
        if let Some(flat) = self.flat.iter().find(|flat| flat.name == name) {
            let aim = match flat.aim {
                Account => Aim::Account,
                Id => Aim::Id,
                Currency => Aim::Currency,
                Path(path) => return Ok(Target::at(name, &self.message(), path).expect("flat names are paths")),
                Reference(path, collection) => Aim::Reference(path, collection),
                Scale => Aim::Scale,
                About => Aim::About,
                PaidAt => Aim::PaidAt,
                ReturnedBecause => Aim::ReturnedBecause,
            };
            return Ok(Target::new(name, aim));
        }
        Target::at(name, &self.message(), name)
    }

    /// What a target is called once flat names and paths are told apart no more.
    pub(crate) fn canonical<'a>(&self, name: &'a str) -> &'a str {
        match self.flat.iter().find(|flat| flat.name == name).map(|flat| flat.aim) {
            Some(Path(path)) => path,
            _ => name,
        }
    }

    /// The full name of one of these.
    pub(crate) fn full_name(&self, account: &str, id: &str) -> String {
        match (self.of_account, self.collection) {
            (true, "") => format!("accounts/{account}"),
            (true, collection) => format!("accounts/{account}/{collection}/{id}"),
            (false, collection) => format!("{collection}/{id}"),
        }
    }

    /// The flat names, for a message.
    pub(crate) fn flat_names(&self) -> String {
        let names: Vec<&str> = self.flat.iter().map(|flat| flat.name).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flat_name_and_every_required_target_exists() {
        for resource in &RESOURCES {
            for flat in resource.flat {
                assert!(resource.target(flat.name).is_ok(), "{} {}", resource.name, flat.name);
            }
            for required in resource.required {
                assert!(resource.target(required).is_ok(), "{} {required}", resource.name);
            }
        }
    }

    #[test]
    fn paths_reach_into_the_contract() {
        let order = Kind::Orders.resource();
        assert!(order.target("fulfilment.papers_correct").is_ok());
        let problem = order.target("fulfilment.promised").expect_err("no such field");
        assert!(problem.contains("promise_time"), "{problem}");
        assert!(order.target("create_time").is_err(), "the server sets it");
        assert!(order.target("fulfilment").is_err(), "a message is not a value");
    }
}
