//! Every word has its words in every language, and what is told is made of what is reckoned.

use std::collections::BTreeSet;

use contracts::{assessments::v1 as wire, common::v1::Party};
use dynamics::{
    Cause, ChangeTerm, Emotion, Evidence, Facet, Facts, Ledger, Model, OrderFact, Signal, Stage, Topic, View, assess,
    explain,
    levers::{Finding, Lever},
    prediction::{Feature, Moved},
};
use methods::from_micros;
use wording::{Family, Language, Words};

use super::{
    assessment,
    movement::{self, Tense},
    opportunity, prediction,
};

const DAY: i64 = dynamics::DAY;
/// The fifth of January 2011.
const NOW: i64 = 14_979 * DAY;

fn words() -> [&'static Words; 4] {
    Language::ALL.map(Words::of)
}

/// The digits of the figures in a text, so that those of two languages can be compared.
fn figures(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split(|letter: char| !(letter.is_ascii_digit() || ",.\u{a0}".contains(letter)))
        .map(|figure| figure.chars().filter(char::is_ascii_digit).collect())
        .filter(|figure: &String| !figure.is_empty())
        .collect();
    found.sort();
    found
}

#[test]
fn every_signal_stage_emotion_lever_and_feature_has_words_in_every_language() {
    let signals = Signal::ALL.map(Signal::name).to_vec();
    let stages = Stage::ALL.map(Stage::name).to_vec();
    let emotions = Emotion::ALL.map(Emotion::name).to_vec();
    let levers = Lever::ALL.map(Lever::name).to_vec();
    let mut features: Vec<&str> = Feature::ALL.iter().map(|feature| feature.name()).collect();
    features.extend([Moved::LEVEL, Moved::FORECAST, Moved::AT_LEAST, Moved::BOUND]);
    let causes = vec!["new", "corrected", "withdrawn", "time", "model"];
    let english = Words::of(Language::English);
    for (family, names) in [
        (Family::Signal, signals),
        (Family::Stage, stages),
        (Family::Emotion, emotions),
        (Family::Lever, levers),
        (Family::Feature, features.clone()),
        (Family::Cause, causes),
    ] {
        let known: BTreeSet<String> = names.iter().map(|name| family.id(name)).collect();
        assert_eq!(known.len(), names.len(), "{family:?}: two names have the same words");
        assert_eq!(english.ids(family), known, "{family:?}: left is what has words, right what there is");
        for language in [Language::Hungarian, Language::Dutch, Language::Portuguese] {
            assert_eq!(Words::of(language).ids(family), known, "{family:?} in {language:?}");
        }
    }
    for signal in Signal::ALL {
        assert_eq!(english.name(Family::Signal, signal.name()), signal.meaning());
    }
    for feature in features {
        assert_eq!(english.name(Family::Feature, feature), feature);
    }
}

/// An account with orders, a late delivery and words of joy.
fn facts() -> Vec<(String, Facts)> {
    let said = |topic, ago: i64, value| Evidence::new(topic, NOW - ago * DAY, value, 1.0).unwrap();
    let order = |number: i64| {
        let order = OrderFact { at: NOW - number * 9 * DAY, cancelled: false };
        let facts = Facts {
            evidence: vec![said(Topic::Signal(Signal::Ordering), number * 9, 1.0)],
            order: Some(order),
            ..Facts::default()
        };
        (format!("accounts/a/orders/{number}"), facts)
    };
    let mut facts: Vec<_> = (1..=7).map(order).collect();
    let evidence = vec![
        said(Topic::Signal(Signal::DeliveryPromise), 20, -0.8),
        said(Topic::Signal(Signal::CustomerTone), 20, 0.6),
        said(Topic::Emotion(View::Customer, Emotion::Joy), 20, 0.8),
    ];
    facts.push(("accounts/a/feedback/1".to_owned(), Facts { evidence, ..Facts::default() }));
    facts
}

fn told(words: &Words) -> Vec<String> {
    let (facts, model) = (facts(), Model::default());
    let ledger = Ledger::fold(model.half_lives(), facts.iter().map(|(source, facts)| (source.as_str(), facts)));
    let assessment = assess(&ledger, &model, NOW);
    let view = wire::View {
        emotions: vec![wire::EmotionScore {
            kind: contracts::common::v1::EmotionKind::Joy.into(),
            intensity: 0.8,
            share: 1.0,
        }],
        ..wire::View::default()
    };
    let answer = wire::Assessment {
        customer_view: Some(view),
        activity: Some(wire::Activity {
            order_count: 1_207,
            first_order_time: Some(from_micros(NOW - 63 * DAY)),
            last_order_time: Some(from_micros(NOW - 9 * DAY)),
            ..wire::Activity::default()
        }),
        worth: Some(wire::Worth {
            spend: Some(contracts::common::v1::Money {
                currency_code: "EUR".to_owned(),
                units: 33_719,
                nanos: 730_000_000,
            }),
            ..wire::Worth::default()
        }),
        ..wire::Assessment::default()
    };
    assessment::summary(words, &assessment, &explain(&ledger, &model, NOW), &model, &answer)
}

#[test]
fn an_assessment_is_told_with_the_same_figures_in_every_language() {
    let told = words().map(told);
    let [english, hungarian, dutch, portuguese] = &told;
    for (one, other) in english.iter().zip(hungarian.iter().zip(dutch.iter().zip(portuguese))) {
        // Dates say their month in words in some and the amount's currency stands before or after: the digits are the same.
        for other in [other.0, other.1.0, other.1.1] {
            assert_eq!(figures(one), figures(other), "{one}\n{other}");
        }
    }
    assert!(told.iter().all(|told| told.len() == english.len() && english.len() > 6));
    let has = |told: &[String], words: &str| assert!(told.iter().any(|told| told == words), "{words}\n{told:#?}");
    has(english, "There were 1,207 orders, the first on November 3, 2010, the last on December 27, 2010.");
    has(hungarian, "1207 rendelés érkezett; az első: 2010. november 3., az utolsó: 2010. december 27.");
    has(dutch, "Er waren 1.207 bestellingen, de eerste op 3 november 2010, de laatste op 27 december 2010.");
    has(portuguese, "Houve 1.207 pedidos, o primeiro em 3 de novembro de 2010, o último em 27 de dezembro de 2010.");
    has(english, "What came of it so far: EUR\u{a0}33,720 spent by the customer.");
    has(hungarian, "Ami eddig származott belőle: az ügyfél költése 33\u{a0}720\u{a0}EUR.");
    has(dutch, "Uit de woorden van de klant spreekt vreugde (100%).");
    has(portuguese, "O que o cliente diz mostra alegria (100%).");
    for (told, start) in told.iter().zip([
        "Deliveries against their promised date (1 fact): -",
        "Szállítások az ígért határidőhöz képest (1 tény): az ügyfél bizalma -",
        "Leveringen tegenover de beloofde datum (1 feit): het vertrouwen van de klant -",
        "Entregas em relação à data prometida (1 ocorrência): a confiança do cliente -",
    ]) {
        assert!(told.iter().any(|sentence| sentence.starts_with(start)), "{start}\n{told:#?}");
    }
}

#[test]
fn a_comparison_is_told_with_the_same_figures_in_every_language() {
    let (facts, model) = (facts(), Model::default());
    let fold = |facts: &[(String, Facts)]| {
        Ledger::fold(model.half_lives(), facts.iter().map(|(source, facts)| (source.as_str(), facts)))
    };
    let (before, after) = (assess(&fold(&facts[..7]), &model, NOW), assess(&fold(&facts), &model, NOW));
    let term = |cause, bond_points| ChangeTerm {
        view: View::Customer,
        facet: Facet::Trust,
        cause,
        signal: Some(Signal::DeliveryPromise),
        source: "accounts/a/feedback/1".to_owned(),
        points: 2.0 * bond_points,
        bond_points,
    };
    let terms =
        [term(Cause::New, -2.25), term(Cause::Withdrawn, 1.125), term(Cause::Time, -0.5), term(Cause::New, 0.01)];
    for tense in [Tense::Past, Tense::Conditional] {
        let told = words().map(|words| movement::compared(words, &before, &after, &terms, tense));
        for other in &told[1..] {
            assert_eq!(told[0].len(), other.len());
            for (one, other) in told[0].iter().zip(other) {
                assert_eq!(figures(one), figures(other), "{one}\n{other}");
            }
        }
        assert!(told[0].iter().any(|told| told == "The passing of time: -0.5 for the bond."), "{:#?}", told[0]);
        let withdrawn = "deliveries against their promised date (withdrawn, accounts/a/feedback/1): +2.2 points for the \
                         customer's trust, +1.1 for the bond.";
        assert!(told[0].iter().any(|told| told == withdrawn), "{:#?}", told[0]);
    }
    let fell = wire::FacetChange {
        party: Party::Customer.into(),
        facet: wire::Facet::Loyalty.into(),
        before: 53.06,
        after: 43.94,
    };
    let told = words().map(|words| movement::facet(words, &fell, Tense::Past));
    assert_eq!(
        told,
        [
            "The customer's loyalty fell by 9.1 points, from 53.1 to 43.9.",
            "Az ügyfél lojalitása 9,1 ponttal csökkent (53,1 → 43,9).",
            "De loyaliteit van de klant is met 9,1 punten gedaald, van 53,1 naar 43,9.",
            "A lealdade do cliente caiu 9,1 pontos, de 53,1 para 43,9.",
        ]
    );
}

#[test]
fn what_an_opportunity_takes_is_told_with_its_numbers() {
    let english = Words::of(Language::English);
    let habit = |lapses, open, was_better| Finding::Habit { lapses, open, was_better };
    for (lever, finding, expected) in [
        (
            Lever::DeliverOnTime,
            habit(2, 0, true),
            "deliver on time, as in the best quarter of the last year: 2 deliveries were late in the last half-year",
        ),
        (Lever::DeliverOnTime, habit(0, 1, false), "deliver on time: 1 is overdue"),
        (
            Lever::AnswerFaster,
            habit(1, 1, false),
            "answer sooner, and settle what is asked for: 1 answer or solution was slow or missing in the last half-year, \
             1 matter is still open",
        ),
        (
            Lever::ReduceCorrections,
            habit(3, 2, false),
            "help to make orders right at the first go: 3 orders took repeated attempts or corrections in the last \
             half-year, 2 are still to be put right",
        ),
        (Lever::SettleConflict, Finding::Open { count: 1 }, "settle it to the customer's content: 1 conflict is open"),
        (
            Lever::KeepCommitment,
            Finding::Promises { overdue: 1, soon: 1 },
            "keep the promise, or agree on a new one: 1 is overdue, 1 is due within two weeks",
        ),
        (Lever::MeetNeed, Finding::Open { count: 2 }, "meet it: 2 stated needs are not met"),
        (
            Lever::CounterOffer,
            Finding::Open { count: 1 },
            "make a counter-offer: 1 offer of a rival is open, with the chance to counter",
        ),
        (
            Lever::ContactCustomer,
            Finding::Silence { days: 59.0, usual_days: 20.0 },
            "get in touch and offer help: no order for 59 days, where one came every 20 days",
        ),
    ] {
        assert_eq!(opportunity::asks(english, lever, finding), expected);
        for words in words() {
            let told = opportunity::asks(words, lever, finding);
            assert_eq!(figures(&told), figures(expected), "{told}");
        }
    }
    assert_eq!(
        words().map(|words| opportunity::found(words, 2, 1)),
        [
            "2 things stand out of what is known of the account",
            "2 dolog tűnik ki abból, amit az ügyfélről tudunk",
            "2 dingen springen eruit in wat bekend is van de klant",
            "destacam-se 2 coisas no que se sabe do cliente",
        ]
    );
}

#[test]
fn a_prediction_is_told_with_the_same_figures_in_every_language() {
    let estimate = |value: f64| Some(wire::Estimate { value, low: value / 2.0, high: value * 1.25 });
    let mut predicted = wire::Prediction {
        horizon_days: 91,
        order_probability: estimate(0.625),
        order_day_count: estimate(2.5),
        spend: estimate(250.0),
        lifetime_value: estimate(10_000.5),
        currency_code: "EUR".to_owned(),
        yearly_discount: 0.15,
        order_probability_by_orders: 0.5,
        terms: vec![wire::PredictionTerm { feature: "open matters".to_owned(), log_odds: -0.5, log_count: 0.0 }],
        competition: Some(wire::Competition {
            counter_probability: estimate(0.25),
            stay_probability: estimate(0.5),
            countered_stay_probability: estimate(0.75),
            position: wire::Position::Contestable.into(),
            case_count: 12,
        }),
        ..wire::Prediction::default()
    };
    let told = words().map(|words| {
        let mut predicted = predicted.clone();
        prediction::translate(words, &mut predicted);
        prediction::summary(words, Some(&predicted), "fits/f1")
    });
    assert_eq!(told[0].len(), 7);
    for other in &told[1..] {
        assert_eq!(told[0].len(), other.len());
        for (one, other) in told[0].iter().zip(other) {
            assert_eq!(figures(one), figures(other), "{one}\n{other}");
        }
    }
    assert_eq!(told[1][0].split(',').next(), Some("91 napon belül az ügyfél 62"));
    assert!(
        told[2][1].contains("EUR\u{a0}250,00 uit (95%-interval EUR\u{a0}125,00 tot EUR\u{a0}312,50)"),
        "{}",
        told[2][1]
    );
    assert_eq!(told[3][4], "O que mais a diminui: assuntos em aberto.");
    predicted.order_probability = None;
    let english = Words::of(Language::English);
    let bare = |fit| prediction::summary(english, Some(&predicted), fit).remove(0);
    assert!(bare("").contains("nothing has been learned") && bare("fits/f1").contains("it has not ordered yet"));
    assert_eq!(prediction::summary(english, None, ""), ["Nothing is predicted: the account has been closed."]);
}
