//! What one source says at its current version.

use crate::decay::Micros;
use crate::evidence::{Evidence, Pending};

/// All that one source (an order, an interaction, an account …) says at its current version. A
/// new version replaces the old one's facts as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What happened.
    pub evidence: Vec<Evidence>,
    /// What is still owed or open.
    pub pending: Vec<Pending>,
    /// The order, when the source is one.
    pub order: Option<OrderFact>,
    /// What the source adds to the worth of the relationship.
    pub worth: Worth,
    /// The account's life, when the source is an account.
    pub account: Option<AccountFact>,
    /// The contacts the source counts for.
    pub interactions: Interactions,
}

impl Facts {
    /// True when the source has nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Facts::default()
    }
}

/// One order, as the rhythm of ordering sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderFact {
    /// When it was placed.
    pub at: Micros,
    /// True when it was cancelled, whoever did it; it then counts as no activity.
    pub cancelled: bool,
}

/// The life of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountFact {
    /// When the account was opened.
    pub opened_at: Micros,
    /// When the parties first were in contact, where that is known.
    pub first_contact_at: Option<Micros>,
    /// When it was closed, if it was.
    pub closed_at: Option<Micros>,
}

/// Whether the account is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is, or nothing was said of it yet.
    Open,
    /// It was closed.
    Closed {
        /// When.
        at: Micros,
    },
}

/// What the relationship brought so far. Amounts are billionths (nanos) of the account's
/// currency, exact integers; any may be negative after corrections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    /// Orders that the amounts come from, a count.
    pub orders: i64,
    /// What the customer paid or owes.
    pub spend: i128,
    /// The part of `spend` whose cost is known; `margin` speaks of this part only.
    pub cost_known_spend: i128,
    /// Spend less cost, where the cost is known.
    pub margin: i128,
    /// What the customer saved against the list price.
    pub savings: i128,
    /// What was given back for returns.
    pub returned: i128,
}

impl Worth {
    /// Both together. Wraps rather than panics, so that taking away always undoes adding.
    pub fn plus(self, other: Worth) -> Worth {
        Worth {
            orders: self.orders.wrapping_add(other.orders),
            spend: self.spend.wrapping_add(other.spend),
            cost_known_spend: self.cost_known_spend.wrapping_add(other.cost_known_spend),
            margin: self.margin.wrapping_add(other.margin),
            savings: self.savings.wrapping_add(other.savings),
            returned: self.returned.wrapping_add(other.returned),
        }
    }

    /// This without the other; undoes [`Worth::plus`] exactly.
    pub fn minus(self, other: Worth) -> Worth {
        Worth {
            orders: self.orders.wrapping_sub(other.orders),
            spend: self.spend.wrapping_sub(other.spend),
            cost_known_spend: self.cost_known_spend.wrapping_sub(other.cost_known_spend),
            margin: self.margin.wrapping_sub(other.margin),
            savings: self.savings.wrapping_sub(other.savings),
            returned: self.returned.wrapping_sub(other.returned),
        }
    }
}

/// How many contacts each party began or took part in as the acting one; counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interactions {
    /// Contacts in which the customer acted.
    pub customer: i64,
    /// Contacts in which the provider acted.
    pub provider: i64,
}

impl Interactions {
    pub(crate) fn plus(self, other: Interactions) -> Interactions {
        Interactions {
            customer: self.customer.wrapping_add(other.customer),
            provider: self.provider.wrapping_add(other.provider),
        }
    }

    pub(crate) fn minus(self, other: Interactions) -> Interactions {
        Interactions {
            customer: self.customer.wrapping_sub(other.customer),
            provider: self.provider.wrapping_sub(other.provider),
        }
    }
}
