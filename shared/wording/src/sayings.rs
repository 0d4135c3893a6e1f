//! Everything that can be said, with what it needs to be filled with.

use crate::Figure;

/// Words in the language that is told in, or names that no language changes.
pub type Text = String;
/// One of the words that a message chooses by.
pub type Key = &'static str;
/// How many there are.
pub type Count = u64;

/// A message with its arguments.
pub trait Saying {
    /// The id of the message.
    const ID: &'static str;

    /// Puts the arguments in.
    fn fill(self, filling: &mut Filling);
}

/// The arguments of a message.
#[derive(Debug, Default)]
pub struct Filling(pub(crate) Vec<(&'static str, Value)>);

/// An argument of a message.
#[derive(Debug)]
pub(crate) enum Value {
    Text(Text),
    Key(Key),
    Count(Count),
    Figure(Figure),
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Value::Text(text)
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        Value::Key(key)
    }
}

impl From<Count> for Value {
    fn from(count: Count) -> Self {
        Value::Count(count)
    }
}

impl From<Figure> for Value {
    fn from(figure: Figure) -> Self {
        Value::Figure(figure)
    }
}

/// Declares the sayings and the table of them.
macro_rules! sayings {
    ($($(#[$doc:meta])* $name:ident $id:literal { $($field:ident: $kind:ident),* };)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name {
                $(#[doc = concat!("`$", stringify!($field), "` of the message.")] pub $field: $kind,)*
            }

            impl Saying for $name {
                const ID: &'static str = $id;

                #[allow(unused_variables, reason = "some have no arguments")]
                fn fill(self, filling: &mut Filling) {
                    $(filling.0.push((stringify!($field), self.$field.into()));)*
                }
            }
        )+

        /// Every saying: its type, its message and the arguments.
        pub const SAYINGS: &[(&str, &str, &[&str])] =
            &[$((stringify!($name), $id, &[$(stringify!($field)),*])),+];
    };
}

sayings! {
    /// A day.
    Date "date" { year: Text, month: Count, day: Text };
    /// An amount of money.
    Money "money" { amount: Text, currency: Text };
    /// Several things.
    And "and" { first: Text, last: Text };
    /// A facet of a party: "the customer's trust".
    FacetOf "facet-of" { party: Key, facet: Key };
    /// The bond, where something is said of it.
    TheBond "the-bond" {};

    /// Where a relationship stands: the bond with its interval, the way it goes ("rising", "falling" or "steady"), the stage.
    Standing "standing" { bond: Figure, low: Figure, high: Figure, way: Key, points: Figure, stage: Text };
    /// There is no evidence at all.
    NothingKnown "nothing-known" {};
    /// Neither party stands closer.
    EquallyClose "equally-close" {};
    /// This party stands closer than the other, by so many points.
    Closer "closer" { party: Key, points: Figure, near: Figure, far: Figure };
    /// This party trusts more than it is trusted, by so many points.
    Exposed "exposed" { party: Key, points: Figure };
    /// What one signal, resting on so many facts, adds to a facet and to the bond.
    Reason "reason" { signal: Text, count: Count, points: Figure, of: Text, bond_points: Figure };
    /// How many orders there were, and when.
    Ordered "ordered" { count: Count, first: Text, last: Text };
    /// What came of a relationship: several [`WorthOf`].
    Worth "worth" { amounts: Text };
    /// One of the sums of a relationship: "spend", "savings", "margin" or "returned".
    WorthOf "worth-of" { what: Key, amount: Text };
    /// The emotions in what a party said: several [`EmotionShare`].
    Emotions "emotions" { party: Key, emotions: Text };
    /// An emotion and its share in percent.
    EmotionShare "share-of-emotion" { emotion: Text, share: Figure };

    /// The bond does not move; the tense is "past" or "conditional".
    Still "still" { tense: Key, at: Figure };
    /// The bond or a facet moves "up" or "down".
    Moved "moved" { subject: Text, tense: Key, way: Key, points: Figure, from: Figure, to: Figure };
    /// The relationship goes to another stage.
    StageMoved "moved-stage" { tense: Key, from: Text, to: Text };
    /// What "time", "balance" or "model" adds to the bond.
    Because "because" { cause: Key, points: Figure };
    /// What one source adds; it is "new", "corrected" or "withdrawn".
    Change "change" { signal: Text, how: Key, source: Text, points: Figure, of: Text, bond_points: Figure };
    /// How the chance of an order within so many days would move, in percent.
    ChanceMoved "chance-moved" { days: Count, from: Figure, to: Figure };

    /// Nobody is exposed any more.
    NobodyExposed "nobody-exposed" {};
    /// This party is exposed now.
    ExposedNow "exposed-now" { party: Key };
    /// The sorts of reasons, the source ("none" if there is none) and how many more there are.
    ComesFrom "comes-from" { causes: Text, source: Text, more: Count };

    /// No fit is in use.
    NoFit "no-fit" {};
    /// There was no order yet.
    NoOrders "no-orders" {};
    /// The account was closed.
    Closed "closed" {};
    /// The chance of an order in percent, and the days with one, within so many days.
    Ahead "ahead" {
        days: Count, chance: Figure, chance_low: Figure, chance_high: Figure,
        order_days: Figure, order_days_low: Figure, order_days_high: Figure
    };
    /// What will be spent in that time.
    Spending "spending" { spend: Text, low: Text, high: Text };
    /// What will be spent ever, discounted by so many percent a year.
    Lifetime "lifetime" { value: Text, low: Text, high: Text, discount: Figure };
    /// The chance by the orders alone, in percent.
    ByOrders "by-orders" { chance: Figure };
    /// What raises the chance.
    Raises "raises" { features: Text };
    /// What lowers the chance.
    Lowers "lowers" { features: Text };
    /// Where the customer stands between the provider and its rivals.
    Position "position" { position: Key };
    /// The chances, in percent, to be given the chance to counter, to keep the customer without and with a counter-offer,
    /// learned from so many offers.
    Rivals "rivals" { counter: Figure, stay: Figure, countered: Figure, cases: Count };

    /// How many opportunities were found among so many accounts.
    Found "found" { found: Count, accounts: Count };
    /// What an opportunity takes, as in the best quarter ("yes" or "no"), and what was found that speaks for it.
    Asks "asks" { lever: Key, best: Key, finding: Text };
    /// How often it went wrong.
    Lapses "lapses" { lever: Key, count: Count };
    /// How much is open.
    Open "open" { lever: Key, count: Count };
    /// How much is due soon.
    Soon "soon" { count: Count };
    /// How long the customer has been silent, and how often it used to order.
    Silent "silent" { days: Figure, gap: Figure };
    /// What is aimed at.
    Aim "aim" { signal: Text, goal: Figure, now: Figure };
    /// What is aimed at, and when it was so.
    AimOfQuarter "aim-of-quarter" { signal: Text, goal: Figure, now: Figure, from: Text, to: Text };
    /// How many more days with an order would follow.
    GainOrders "gain-orders" { days: Count, value: Figure, low: Figure, high: Figure };
    /// How much more would be spent.
    GainSpend "gain-spend" { value: Text, low: Text, high: Text };
    /// How much more value would be kept from rivals.
    GainKept "gain-kept" { value: Text, low: Text, high: Text };
    /// The sources that it rests on, and how many more there are.
    RestsOn "rests-on" { sources: Text, more: Count };
}
