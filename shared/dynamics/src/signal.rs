//! The signals: what evidence can speak of, and the one facet each belongs to.

use std::sync::LazyLock;

use crate::vocabulary::{Aspect, Emotion, Facet, View};

/// Declares the signals and the table of what is fixed about them. A row reads: variant, name,
/// view, facet, aspect, stated or observed, meaning.
macro_rules! signals {
    ($($(#[$scale:meta])* $variant:ident $name:literal $view:ident $facet:ident $aspect:ident $kind:ident $meaning:literal;)+) => {
        /// One kind of evidence. It belongs to exactly one view, facet and aspect, which never
        /// change; how much it counts is the model's affair. Each documents what its extreme
        /// values mean; values lie in [-1, 1] and 0 is neither good nor bad for the facet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Signal {
            $(#[doc = $meaning] #[doc = ""] $(#[$scale])* $variant,)+
        }

        /// In the order of the variants, so that a signal's number is its row.
        static TABLE: [Row; Signal::COUNT] = [
            $(Row {
                name: $name,
                view: View::$view,
                facet: Facet::$facet,
                aspect: Aspect::$aspect,
                stated: Kind::$kind as u8 == Kind::Stated as u8,
                meaning: $meaning,
            },)+
        ];

        impl Signal {
            /// Every signal. Stored encodings hold the position, so signals are appended, never
            /// moved.
            pub const ALL: [Signal; Signal::COUNT] = [$(Signal::$variant),+];
            /// How many signals there are.
            pub(crate) const COUNT: usize = [$($name),+].len();
        }
    };
}

signals! {
    /// +1 warm, -1 hostile.
    CustomerTone "customer_tone" Customer Rapport General Stated "the tone of what the customer says";
    /// +1 answers at once, -1 does not answer.
    CustomerReplySpeed "customer_reply_speed" Customer Rapport General Observed "how soon the customer replies";
    /// +1 the customer made the first move, without a complaint as its cause.
    CustomerInitiative "customer_initiative" Customer Rapport General Observed "contacts the customer began";
    /// +1 met, -1 failed to appear.
    CustomerMeeting "customer_meeting" Customer Rapport General Observed "meetings with the customer";
    /// +1 many people of the customer take part, -1 the only one left.
    ContactBreadth "contact_breadth" Customer Rapport General Observed "how many people at the customer take part";
    /// +1 fully satisfied, -1 not at all.
    InteractionSatisfaction "interaction_satisfaction" Customer Rapport Social Stated "satisfaction with conversations";

    /// +1 delivered by the promised date, -1 very late or never.
    DeliveryPromise "delivery_promise" Customer Trust General Observed "deliveries against their promised date";
    /// +1 kept on time, -1 broken.
    ProviderCommitment "provider_commitment" Customer Trust General Observed "commitments of the provider, kept or broken";
    /// +1 solved at once, -1 left unsolved.
    Resolution "resolution" Customer Trust General Observed "problems solved or left open";
    /// -1 a serious dispute; never above 0.
    Conflict "conflict" Customer Trust General Observed "conflicts";
    /// +1 a conflict settled to the customer's content, -1 settled against it.
    Settlement "settlement" Customer Trust General Observed "how conflicts were settled";
    /// +1 the first sales contacts answered what was asked, -1 they disappointed.
    FirstContact "first_contact" Customer Trust General Observed "the first sales contacts";
    /// +1 steps of onboarding finished in time, -1 missed.
    Onboarding "onboarding" Customer Trust General Observed "the steps of onboarding";
    /// +1 finds policies and dealings fair, -1 unfair.
    PolicySatisfaction "policy_satisfaction" Customer Trust General Stated "what the customer says of policies and fairness";

    /// By the customer's own rhythm: +1 has just ordered, 0 overdue, -1 silent for many usual gaps.
    /// By a fit to the portfolio: +1 far more, 0 just as many, -1 far fewer orders to be expected than
    /// are usual for a customer of that age. Derived when assessed; it is never stored as evidence.
    OrderRhythm "order_rhythm" Customer Loyalty Behaviour Observed "orders against what was to be expected";
    /// +1 an order placed.
    Ordering "ordering" Customer Loyalty Behaviour Observed "orders placed";
    /// -1 an order the customer cancelled.
    Cancellation "cancellation" Customer Loyalty Behaviour Observed "orders the customer cancelled";
    /// -1 the customer left.
    Departure "departure" Customer Loyalty Behaviour Observed "the closing of the account";
    /// +1 stayed on a rival's offer, -1 took it.
    OfferOutcome "offer_outcome" Customer Loyalty Behaviour Observed "rivals' offers declined or taken";
    /// +1 certain to recommend, -1 certain not to.
    Recommendation "recommendation" Customer Loyalty Attitude Stated "willingness to recommend";
    /// +1 told of a rival's offer and gave the chance to counter, -1 kept it hidden.
    OfferDisclosure "offer_disclosure" Customer Loyalty Attitude Observed "rivals' offers disclosed or hidden";
    /// +1 a compliment or a referral.
    Advocacy "advocacy" Customer Loyalty Attitude Stated "compliments and referrals";

    /// +1 placed at the first attempt, -1 after many.
    PlacingAttempts "placing_attempts" Customer Ease Placing Observed "attempts needed to place an order";
    /// +1 nothing to correct, -1 many corrections.
    PlacingCorrections "placing_corrections" Customer Ease Placing Observed "corrections needed while placing an order";
    /// +1 placed in no time, -1 took very long.
    PlacingTime "placing_time" Customer Ease Placing Observed "the time it takes to place an order";
    /// +1 on time, -1 late.
    DeliveryOnTime "delivery_on_time" Customer Ease Receiving Observed "deliveries on time";
    /// +1 everything ordered, -1 nothing of it.
    DeliveryComplete "delivery_complete" Customer Ease Receiving Observed "deliveries complete";
    /// +1 all undamaged, -1 all damaged.
    DeliveryUndamaged "delivery_undamaged" Customer Ease Receiving Observed "deliveries undamaged";
    /// +1 papers right, -1 papers wrong.
    DeliveryPapers "delivery_papers" Customer Ease Receiving Observed "deliveries with the right papers";
    /// +1 no effort, -1 very much.
    Effort "effort" Customer Ease General Stated "the effort the customer reports";
    /// +1 solved in one contact, -1 after many.
    ContactsToResolve "contacts_to_resolve" Customer Ease General Observed "contacts needed to solve a problem";

    /// +1 large savings against the list or a rival, -1 paid far more.
    Savings "savings" Customer Value Economic Observed "what the customer saves";
    /// +1 got all that was ordered, -1 returned or never got it.
    Fulfilment "fulfilment" Customer Value Economic Observed "orders fulfilled and kept";
    /// +1 the need was met, -1 it was not.
    NeedMet "need_met" Customer Value Economic Observed "needs met";
    /// +1 fully satisfied, -1 not at all.
    ProductSatisfaction "product_satisfaction" Customer Value Economic Stated "satisfaction with products";
    /// +1 says the dealings brought what was hoped for, -1 the opposite.
    OutcomeStated "outcome_stated" Customer Value Social Stated "outcomes the customer reports";

    /// +1 warm, -1 hostile.
    ProviderTone "provider_tone" Provider Rapport General Stated "the tone of what the provider says";
    /// +1 answers at once, -1 does not answer.
    ProviderResponseTime "provider_response_time" Provider Rapport General Observed "how soon the provider answers";
    /// +1 the provider made the first move.
    ProviderInitiative "provider_initiative" Provider Rapport General Observed "contacts the provider began";

    /// +1 paid by the due date, -1 very late or never.
    PaymentOnTime "payment_on_time" Provider Trust General Observed "payments against their due date";
    /// +1 kept on time, -1 broken.
    CustomerCommitment "customer_commitment" Provider Trust General Observed "commitments of the customer, kept or broken";
    /// +1 returns only with cause, -1 returns without.
    FairReturns "fair_returns" Provider Trust General Observed "fair use of returns";
    /// +1 generous terms or credit, -1 payment in advance demanded.
    TermsGranted "terms_granted" Provider Trust General Observed "terms granted to the customer";

    /// +1 a large concession, -1 one refused.
    Concession "concession" Provider Loyalty Behaviour Observed "concessions and priority granted";
    /// +1 the provider warned or helped before being asked.
    ProactiveContact "proactive_contact" Provider Loyalty Behaviour Observed "help offered before it was asked for";
    /// +1 stood by the customer in trouble, -1 withdrew.
    StayedThroughTrouble "stayed_through_trouble" Provider Loyalty Behaviour Observed "standing by the customer in trouble";
    /// +1 countered a rival's offer, -1 let the chance pass.
    CounterOffer "counter_offer" Provider Loyalty Behaviour Observed "counter-offers made when given the chance";

    /// +1 needs no support, -1 very much per order.
    SupportLoad "support_load" Provider Ease General Observed "support the customer needs";
    /// +1 nothing to correct, -1 many corrections.
    OrderCorrections "order_corrections" Provider Ease General Observed "corrections the customer's orders need";
    /// +1 no returns to handle, -1 everything comes back.
    ReturnEffort "return_effort" Provider Ease General Observed "the work returns cause";

    /// +1 a high margin, -1 a loss.
    Margin "margin" Provider Value Economic Observed "the margin on orders";
    /// +1 large orders for this provider, -1 negligible ones.
    Spend "spend" Provider Value Economic Observed "what the customer spends";
    /// +1 brought a new customer.
    Referral "referral" Provider Value General Observed "customers brought by this one";
    /// +1 an idea that became an improvement.
    IdeaGiven "idea_given" Provider Value General Observed "ideas the customer gave";

    /// +1 full of trust, -1 full of fear or anger.
    CustomerAssurance "customer_assurance" Customer Trust General Stated "trust, fear and anger in what the customer says";
    /// +1 full of trust, -1 full of fear or anger.
    ProviderAssurance "provider_assurance" Provider Trust General Stated "trust, fear and anger in what the provider says";
    /// +1 speaks against rivals, -1 leans to them.
    RivalMention "rival_mention" Customer Loyalty Attitude Stated "what the customer says of rivals";
}

/// Whether someone said it or it was seen in what they did.
enum Kind {
    Stated,
    Observed,
}

struct Row {
    name: &'static str,
    view: View,
    facet: Facet,
    aspect: Aspect,
    stated: bool,
    meaning: &'static str,
}

impl Signal {
    fn row(self) -> &'static Row {
        &TABLE[self.index()]
    }

    /// The position in [`Signal::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The signal in snake case, as models and reports write it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The signal of this name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// The view it is evidence for: whose stance it shows.
    pub fn view(self) -> View {
        self.row().view
    }

    /// The facet it is evidence for.
    pub fn facet(self) -> Facet {
        self.row().facet
    }

    /// The side of the facet it is evidence for.
    pub fn aspect(self) -> Aspect {
        self.row().aspect
    }

    /// True when someone said it (a survey, a text), false when it was observed in deeds.
    pub fn stated(self) -> bool {
        self.row().stated
    }

    /// What it is about, as a fragment that completes "because of …".
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// True when it is derived at assessment time and so cannot be given as evidence.
    pub fn derived(self) -> bool {
        self == Signal::OrderRhythm
    }

    /// The signals of one facet, in order.
    pub fn of(view: View, facet: Facet) -> impl Iterator<Item = Signal> {
        BY_FACET[view.index()][facet.index()].iter().copied()
    }
}

/// The signals of each facet: an assessment asks for them many times.
static BY_FACET: LazyLock<[[Vec<Signal>; Facet::ALL.len()]; View::ALL.len()]> = LazyLock::new(|| {
    let of =
        |view, facet| Signal::ALL.into_iter().filter(move |signal| signal.view() == view && signal.facet() == facet);
    View::ALL.map(|view| Facet::ALL.map(|facet| of(view, facet).collect()))
});

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// What one piece of evidence is about. The ledger keeps sums for each topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A signal of one of the facets.
    Signal(Signal),
    /// An emotion the party whose view it is has shown.
    Emotion(View, Emotion),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_signals_and_are_unique() {
        for (position, signal) in Signal::ALL.into_iter().enumerate() {
            assert_eq!(Signal::from_name(signal.name()), Some(signal));
            assert_eq!(signal.index(), position);
            assert!(!signal.meaning().is_empty() && !signal.meaning().ends_with('.'));
        }
    }

    #[test]
    fn every_facet_of_both_views_has_signals() {
        for view in View::ALL {
            for facet in Facet::ALL {
                assert!(Signal::of(view, facet).count() >= 3, "{view} {facet}");
            }
        }
    }
}
