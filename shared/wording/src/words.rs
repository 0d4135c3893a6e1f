//! The messages of a language, and how they are filled.

use std::{borrow::Cow, collections::BTreeSet, sync::LazyLock};

use fluent_bundle::{
    FluentArgs, FluentResource, FluentValue,
    concurrent::FluentBundle,
    types::{FluentNumber, FluentNumberOptions},
};
use unic_langid::LanguageIdentifier;

use crate::{
    And, Date, FacetOf, Figure, Language, Money, Saying,
    figures::told,
    sayings::{Filling, Value},
};

/// The words of one language.
pub struct Words {
    language: Language,
    messages: FluentBundle<FluentResource>,
}

/// A set of words that are asked for by the name that models, logs and the contract have for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// What a signal measures.
    Signal,
    /// How far a relationship has come.
    Stage,
    /// An emotion.
    Emotion,
    /// What the provider can do.
    Lever,
    /// The sort of reason why something moved.
    Cause,
    /// What a prediction goes by.
    Feature,
}

impl Family {
    /// Every family.
    pub const ALL: [Family; 6] =
        [Family::Signal, Family::Stage, Family::Emotion, Family::Lever, Family::Cause, Family::Feature];

    /// What the ids of its messages begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Family::Signal => "signal-",
            Family::Stage => "stage-",
            Family::Emotion => "emotion-",
            Family::Lever => "lever-",
            Family::Cause => "cause-",
            Family::Feature => "feature-",
        }
    }

    /// The id of the message with the words for a name: small letters, digits and `_` as they are, apostrophes left out,
    /// a dash for what else is between them.
    pub fn id(self, name: &str) -> String {
        let mut id = self.prefix().to_owned();
        for letter in name.chars() {
            match letter {
                'a'..='z' | '0'..='9' | '_' => id.push(letter),
                '\'' => {}
                _ if id.ends_with('-') => {}
                _ => id.push('-'),
            }
        }
        id
    }
}

static WORDS: LazyLock<[Words; Language::ALL.len()]> = LazyLock::new(|| Language::ALL.map(Words::load));

/// The messages of a language, as they are written.
pub(crate) const fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../messages/en.ftl"),
        Language::Hungarian => include_str!("../messages/hu.ftl"),
        Language::Dutch => include_str!("../messages/nl.ftl"),
        Language::Portuguese => include_str!("../messages/pt.ftl"),
    }
}

impl Words {
    /// The words of a language.
    pub fn of(language: Language) -> &'static Words {
        &WORDS[language as usize]
    }

    /// Which language it is.
    pub fn language(&self) -> Language {
        self.language
    }

    fn load(language: Language) -> Self {
        // By which plurals are chosen; the codes are well formed.
        let identifier = language.code().parse::<LanguageIdentifier>().unwrap_or_default();
        let mut messages = FluentBundle::new_concurrent(vec![identifier]);
        // The marks that set off what is put in are for texts of mixed direction; they would show in terminals and tables.
        messages.set_use_isolating(false);
        messages.set_formatter(Some(match language {
            Language::English => |value, _| formatted(Language::English, value),
            Language::Hungarian => |value, _| formatted(Language::Hungarian, value),
            Language::Dutch => |value, _| formatted(Language::Dutch, value),
            Language::Portuguese => |value, _| formatted(Language::Portuguese, value),
        }));
        // A test holds that these succeed: the files are whole, and the function is new.
        let _ = messages.add_function("SIGNED", move |given, _| match given {
            [FluentValue::Number(number)] => told(language, figure(number), true).into(),
            [text] => text.clone(),
            _ => FluentValue::Error,
        });
        let resource = FluentResource::try_new(source(language).to_owned());
        let _ = messages.add_resource(resource.unwrap_or_else(|(resource, _)| resource));
        Self { language, messages }
    }

    /// Says it.
    pub fn tell<S: Saying>(&self, saying: S) -> String {
        let mut filling = Filling::default();
        saying.fill(&mut filling);
        let mut arguments = FluentArgs::with_capacity(filling.0.len());
        for (name, value) in &filling.0 {
            arguments.set(*name, self.value(value));
        }
        self.message(S::ID, Some(&arguments)).unwrap_or_default()
    }

    /// The word for a name, or the name itself, with spaces for `_`, if there is none.
    pub fn name(&self, family: Family, name: &str) -> String {
        self.message(&family.id(name), None).unwrap_or_else(|| name.replace('_', " "))
    }

    /// The ids of the messages of a family in this language, as it is written.
    pub fn ids(&self, family: Family) -> BTreeSet<String> {
        let lines = source(self.language).lines();
        let ids = lines.filter_map(|line| line.split_once(" =")).map(|(id, _)| id);
        ids.filter(|id| id.starts_with(family.prefix())).map(str::to_owned).collect()
    }

    /// What a facet of a party is called, such as "the customer's trust", by the names of both.
    pub fn facet_of(&self, party: &'static str, facet: &'static str) -> String {
        self.tell(FacetOf { party, facet })
    }

    /// A figure, with a plus if it is a difference.
    pub fn figure(&self, figure: Figure, signed: bool) -> String {
        told(self.language, figure, signed)
    }

    /// A day of the Gregorian calendar.
    pub fn date(&self, year: i32, month: u8, day: u8) -> String {
        self.tell(Date { year: year.to_string(), month: u64::from(month), day: day.to_string() })
    }

    /// An amount of money in a currency by its code in ISO 4217, with so many decimals, and a sign if it is a difference.
    pub fn money(&self, amount: f64, decimals: u8, currency: &str, signed: bool) -> String {
        let amount = told(self.language, Figure::new(amount, decimals), signed);
        self.tell(Money { amount, currency: currency.to_owned() })
    }

    /// Several things: "a, b and c".
    pub fn list(&self, mut things: Vec<String>) -> String {
        let Some(last) = things.pop() else { return String::new() };
        if things.is_empty() { last } else { self.tell(And { first: things.join(", "), last }) }
    }

    fn value<'a>(&self, value: &'a Value) -> FluentValue<'a> {
        match value {
            Value::Text(text) => FluentValue::String(Cow::Borrowed(text)),
            Value::Key(key) => FluentValue::String(Cow::Borrowed(key)),
            Value::Count(count) => self.number(Figure::new(*count as f64, 0)),
            Value::Figure(figure) => self.number(*figure),
        }
    }

    fn number<'a>(&self, figure: Figure) -> FluentValue<'a> {
        if !figure.is_ordinary() {
            return told(self.language, figure, false).into();
        }
        // A whole number is one to Fluent, which `[1]` stands for, only if it says nothing of decimals.
        let decimals = Some(usize::from(figure.decimals())).filter(|decimals| *decimals > 0);
        let options = FluentNumberOptions { minimum_fraction_digits: decimals, ..FluentNumberOptions::default() };
        FluentNumber::new(figure.value(), options).into()
    }

    fn message(&self, id: &str, arguments: Option<&FluentArgs<'_>>) -> Option<String> {
        let found = self.messages.get_message(id).and_then(|message| message.value());
        let Some(pattern) = found else {
            let is_last = self.language == Language::English;
            return if is_last { None } else { Words::of(Language::English).message(id, arguments) };
        };
        Some(self.messages.format_pattern(pattern, arguments, &mut Vec::new()).into_owned())
    }
}

/// A number where a message puts one in.
fn formatted(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(told(language, figure(number), false)),
        _ => None,
    }
}

fn figure(number: &FluentNumber) -> Figure {
    let decimals = number.options.minimum_fraction_digits.unwrap_or_default();
    Figure::new(number.value, u8::try_from(decimals).unwrap_or(u8::MAX))
}

/// The same words with a capital at their beginning.
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
