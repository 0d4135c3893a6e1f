//! Improvements, their effects and those who asked for them, for a person and as rows.

use std::{fmt::Write as _, io::Write};

use contracts::{
    assessments::v1::Estimate,
    common::v1::Party,
    feedback::v1::Improvement,
    voice::v1::{Asker, EffectVerdict, ImprovementEffect, MovedFacet},
};

use super::Counts;
use crate::{
    commands::{
        account_id,
        figures::{cells, counted, exact, exact_or_empty, signed, titles, with_interval},
        told,
    },
    exit::Error,
    import::value::short_name,
    output::Grid,
};

/// How many sources of an asker a person is told.
const TOP_SOURCES: usize = 2;

/// The improvements in rows.
pub(super) fn table(improvements: &[Improvement]) -> Grid {
    let mut table =
        Grid::titled(&["improvement", "state", "kind", "themes", "feedback", "shipped", "title"]).right(&[3, 4]);
    for improvement in improvements {
        table.row([
            id(&improvement.name).to_owned(),
            short_name("ImprovementState", improvement.state().as_str_name()),
            kind(improvement),
            improvement.themes.len().to_string(),
            improvement.feedback.len().to_string(),
            told(improvement.ship_time),
            improvement.title.clone(),
        ]);
    }
    table
}

fn kind(improvement: &Improvement) -> String {
    short_name("ImprovementKind", improvement.kind().as_str_name()).replace('_', " ")
}

fn id(name: &str) -> &str {
    name.strip_prefix("improvements/").unwrap_or(name)
}

/// All that is recorded of an improvement.
pub(super) fn one(improvement: &Improvement) -> String {
    let state = short_name("ImprovementState", improvement.state().as_str_name());
    let mut text = format!("{}: {} ({}, {state})", improvement.name, improvement.title, kind(improvement));
    let mut line = |title: &str, content: &str| {
        if !content.is_empty() {
            let _ = write!(text, "\n   {title:<9} {content}");
        }
    };
    line("about", &improvement.description);
    line("answers", &improvement.themes.iter().chain(&improvement.feedback).cloned().collect::<Vec<_>>().join(", "));
    line("planned", &told(improvement.plan_time));
    line("shipped", &told(improvement.ship_time));
    line("measured", &told(improvement.measure_time));
    line("effect", &improvement.effect);
    for effect in &improvement.facet_effects {
        let party = short_name("Party", effect.party().as_str_name());
        let interval = format!("{} to {}", signed(effect.low, 1), signed(effect.high, 1));
        line("", &format!("{party}'s {}: {} points ({interval})", effect.facet, signed(effect.change, 1)));
    }
    line("declined", &improvement.decline_reason);
    text
}

/// The improvements as rows for programs.
pub(super) fn csv_rows(out: &mut impl Write, improvements: &[Improvement]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record([
        "name",
        "state",
        "kind",
        "title",
        "description",
        "themes",
        "feedback",
        "plan_time",
        "ship_time",
        "measure_time",
        "effect",
        "decline_reason",
    ])?;
    for improvement in improvements {
        rows.write_record([
            improvement.name.clone(),
            short_name("ImprovementState", improvement.state().as_str_name()),
            short_name("ImprovementKind", improvement.kind().as_str_name()),
            improvement.title.clone(),
            improvement.description.clone(),
            improvement.themes.join(" "),
            improvement.feedback.join(" "),
            told(improvement.plan_time),
            told(improvement.ship_time),
            told(improvement.measure_time),
            improvement.effect.clone(),
            improvement.decline_reason.clone(),
        ])?;
    }
    Ok(rows.flush()?)
}

/// What an improvement did, for a person.
pub(super) fn effect(effect: &ImprovementEffect) -> String {
    let mut page = effect.summary.clone();
    if effect.is_bounded {
        page.push_str("\nof more accounts than are looked at, some were drawn evenly");
    }
    if effect.end_time.is_none() {
        return page;
    }
    let titles =
        ["facet", "asked", "others", "moved further by", "", "before it shipped", "", "p", "accounts", "others", ""];
    let mut table = Grid::titled(&titles).right(&[1, 2, 3, 5, 7, 8, 9]);
    for facet in &effect.facets {
        let [change, interval] = with_interval(facet.change.as_ref(), |points| signed(points, 1));
        let [placebo, placebo_interval] = with_interval(facet.placebo.as_ref(), |points| signed(points, 1));
        let moved = |before: f64, after: f64, count: i64| match count {
            0 => String::new(),
            _ => format!("{before:.1} → {after:.1}"),
        };
        table.row([
            name(facet),
            moved(facet.before, facet.after, facet.account_count),
            moved(facet.comparable_before, facet.comparable_after, facet.comparable_account_count),
            change,
            interval,
            placebo,
            placebo_interval,
            facet.adjusted_p_value.map_or(String::new(), |p| format!("{p:.3}")),
            facet.account_count.to_string(),
            facet.comparable_account_count.to_string(),
            verdict(facet.verdict()).to_owned(),
        ]);
    }
    let _ = write!(page, "\n\n{table}");
    page
}

fn name(facet: &MovedFacet) -> String {
    let party = short_name("Party", Party::try_from(facet.party).unwrap_or_default().as_str_name());
    format!("{party}'s {}", short_name("Facet", facet.facet().as_str_name()))
}

fn verdict(verdict: EffectVerdict) -> &'static str {
    match verdict {
        EffectVerdict::Unspecified => "",
        EffectVerdict::Better => "better",
        EffectVerdict::Worse => "worse",
        EffectVerdict::FewConcerned => "too few asked",
        EffectVerdict::FewComparable => "too few comparable",
        EffectVerdict::NoEarlierFigures => "too little known before",
        EffectVerdict::TrendsDiffer => "moved apart before",
        EffectVerdict::NotTold => "may be chance",
        EffectVerdict::TooEarly => "too early",
    }
}

/// The facets of an effect as rows for programs.
pub(super) fn effect_csv(out: &mut impl Write, facets: &[MovedFacet]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    let mut columns =
        ["party", "facet", "before", "after", "comparable_before", "comparable_after"].map(str::to_owned).to_vec();
    columns.extend(["change", "placebo"].into_iter().flat_map(titles));
    let counts = ["accounts", "comparable_accounts", "unassessed_accounts", "unmatched_accounts", "verdict"];
    columns.extend(["p_value", "adjusted_p_value"].into_iter().chain(counts).map(str::to_owned));
    rows.write_record(columns)?;
    for facet in facets {
        let mut row = vec![short_name("Party", facet.party().as_str_name())];
        row.push(short_name("Facet", facet.facet().as_str_name()));
        row.extend([facet.before, facet.after, facet.comparable_before, facet.comparable_after].map(exact));
        let estimates: [Option<&Estimate>; 2] = [facet.change.as_ref(), facet.placebo.as_ref()];
        row.extend(estimates.into_iter().flat_map(cells));
        row.extend([facet.p_value, facet.adjusted_p_value].map(exact_or_empty));
        let counts = [
            facet.account_count,
            facet.comparable_account_count,
            facet.unassessed_account_count,
            facet.unmatched_account_count,
        ];
        row.extend(counts.map(|count| count.to_string()));
        row.push(short_name("EffectVerdict", facet.verdict().as_str_name()));
        rows.write_record(row)?;
    }
    Ok(rows.flush()?)
}

/// Those who asked, for a person.
pub(super) fn askers(askers: &[Asker], counts: Counts) -> String {
    let mut page = format!(
        "{} asked for it, {} told",
        counted(counts.total, "person or account", "persons or accounts"),
        match counts.told {
            1 => "1 has been".to_owned(),
            told => format!("{told} have been"),
        }
    );
    if counts.is_bounded {
        page.push_str("; who asked before the newest 20,000 texts is not among them");
    }
    if askers.is_empty() {
        return page;
    }
    let mut table = Grid::titled(&["account", "person", "asked", "times", "told", "where"]).right(&[3]);
    for asker in askers {
        let shown = asker.sources.iter().take(TOP_SOURCES).cloned().collect::<Vec<_>>().join(", ");
        let more = asker.source_count.saturating_sub(TOP_SOURCES as i64);
        table.row([
            account_id(&asker.account).to_owned(),
            asker.contact.rsplit('/').next().unwrap_or_default().to_owned(),
            told(asker.last_ask_time),
            asker.source_count.to_string(),
            told(asker.tell_time),
            if more > 0 { format!("{shown}, {more} more") } else { shown },
        ]);
    }
    let _ = write!(page, "\n\n{table}");
    page
}

/// Those who asked as rows for programs.
pub(super) fn askers_csv(out: &mut impl Write, askers: &[Asker]) -> Result<(), Error> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record([
        "account",
        "contact",
        "sources",
        "source_count",
        "first_ask_time",
        "last_ask_time",
        "tell_time",
        "telling",
    ])?;
    for asker in askers {
        rows.write_record([
            asker.account.clone(),
            asker.contact.clone(),
            asker.sources.join(" "),
            asker.source_count.to_string(),
            told(asker.first_ask_time),
            told(asker.last_ask_time),
            told(asker.tell_time),
            asker.telling.clone(),
        ])?;
    }
    Ok(rows.flush()?)
}

#[cfg(test)]
mod tests {
    use contracts::{
        assessments::v1::Facet,
        feedback::v1::{FacetEffect, ImprovementKind, ImprovementState},
    };
    use prost_types::Timestamp;

    use super::*;

    const DAY: Option<Timestamp> = Some(Timestamp { seconds: 86_400, nanos: 0 });

    #[test]
    fn an_improvement_is_told_with_its_effect() {
        let improvement = Improvement {
            name: "improvements/returns-60".to_owned(),
            title: "Returns within 60 days".to_owned(),
            kind: ImprovementKind::NewProduct.into(),
            state: ImprovementState::Measured.into(),
            themes: vec!["themes/returns".to_owned()],
            ship_time: DAY,
            effect: "It helped.".to_owned(),
            facet_effects: vec![FacetEffect {
                party: Party::Customer.into(),
                facet: "trust".to_owned(),
                change: 4.0,
                low: 1.5,
                high: 6.5,
                ..FacetEffect::default()
            }],
            ..Improvement::default()
        };
        assert_eq!(
            one(&improvement),
            "improvements/returns-60: Returns within 60 days (new product, measured)\n   \
             answers   themes/returns\n   \
             shipped   1970-01-02T00:00:00Z\n   \
             effect    It helped.\n             \
             customer's trust: +4.0 points (+1.5 to +6.5)"
        );
        assert_eq!(
            table(&[improvement]).to_string(),
            "improvement  state     kind         themes  feedback  shipped               title\n\
             returns-60   measured  new product       1         0  1970-01-02T00:00:00Z  Returns within 60 days"
        );
    }

    #[test]
    fn an_effect_stands_beside_what_was_there_before() {
        let facet = MovedFacet {
            party: Party::Customer.into(),
            facet: Facet::Trust.into(),
            before: 40.0,
            after: 48.0,
            comparable_before: 41.0,
            comparable_after: 43.0,
            change: Some(Estimate { value: 6.0, low: 3.0, high: 9.0 }),
            placebo: Some(Estimate { value: 0.25, low: -2.0, high: 2.5 }),
            adjusted_p_value: Some(0.0012),
            account_count: 80,
            comparable_account_count: 300,
            verdict: EffectVerdict::Better.into(),
            ..MovedFacet::default()
        };
        let told = ImprovementEffect {
            summary: "It helped.".to_owned(),
            facets: vec![facet],
            end_time: DAY,
            ..ImprovementEffect::default()
        };
        let lines: Vec<String> = effect(&told).lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "It helped.");
        let words: Vec<&str> = lines[3].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(
            words,
            [
                "customer's trust",
                "40.0 → 48.0",
                "41.0 → 43.0",
                "+6.0",
                "+3.0 to +9.0",
                "+0.2",
                "-2.0 to +2.5",
                "0.001",
                "80",
                "300",
                "better",
            ]
        );
        let early = ImprovementEffect { end_time: None, ..told };
        assert_eq!(effect(&early), "It helped.");
        let mut out = Vec::new();
        effect_csv(&mut out, &[facet, MovedFacet::default()]).expect("written");
        let rows: Vec<_> =
            csv::Reader::from_reader(out.as_slice()).into_records().collect::<Result<_, _>>().expect("rows");
        assert_eq!((rows[0].get(1), rows[0].get(18)), (Some("trust"), Some("better")));
    }

    #[test]
    fn those_who_asked_are_told_with_where_they_did() {
        let asker = Asker {
            account: "accounts/acme".to_owned(),
            contact: "accounts/acme/contacts/ann".to_owned(),
            sources: (1..=3).map(|number| format!("accounts/acme/feedback/{number}")).collect(),
            source_count: 3,
            last_ask_time: DAY,
            ..Asker::default()
        };
        let counts = Counts { total: 4, told: 1, is_bounded: false };
        assert_eq!(
            askers(&[asker], counts),
            "4 persons or accounts asked for it, 1 has been told\n\n\
             account  person  asked                 times  told  where\n\
             acme     ann     1970-01-02T00:00:00Z      3        accounts/acme/feedback/1, accounts/acme/feedback/2, 1 more"
        );
    }
}
