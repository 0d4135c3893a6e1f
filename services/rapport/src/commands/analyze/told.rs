//! An analysis, told a line: in columns, as CSV or as JSON.

use std::io::{self, Write};

use language::{Abstention, Analysis, Emotion, Estimate, Span, SpanKind, Stance};
use serde_json::{Map, Value, json};

use super::{super::Format, texts::Problem};
use crate::exit::Error;

/// How wide a text may be in a table.
const TEXT_WIDTH: usize = 48;

/// Tells analyses, one a line, as they come.
pub(crate) struct Told<'a, W: Write> {
    form: Form<W>,
    competitors: &'a [&'a str],
}

enum Form<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Lines(W, fn(&str, &Analysis, &[&str]) -> String),
}

impl<'a, W: Write> Told<'a, W> {
    /// Begins, with the titles if there are any.
    pub(crate) fn begin(mut out: W, format: Format, competitors: &'a [&'a str]) -> Result<Self, Error> {
        let form = match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(titles()).map_err(io::Error::from)?;
                Form::Csv(Box::new(writer))
            }
            Format::Json => Form::Lines(out, |text, analysis, names| json(text, analysis, names).to_string()),
            Format::Table => {
                writeln!(out, "language       sentiment  sure  emotions                          text")?;
                Form::Lines(out, |text, analysis, _| row(text, analysis))
            }
        };
        Ok(Self { form, competitors })
    }

    pub(crate) fn tell(&mut self, text: &str, analysis: &Analysis) -> Result<(), Error> {
        match &mut self.form {
            Form::Csv(writer) => writer.write_record(cells(analysis)).map_err(io::Error::from)?,
            Form::Lines(out, line) => writeln!(out, "{}", line(text, analysis, self.competitors))?,
        }
        Ok(())
    }

    /// Ends, and hands the output back.
    pub(crate) fn end(self) -> Result<W, Error> {
        match self.form {
            Form::Csv(writer) => writer.into_inner().map_err(|error| Error::from(error.into_error())),
            Form::Lines(out, _) => Ok(out),
        }
    }
}

/// What is wrong with the texts' source.
pub(super) fn wrong(source: &str, Problem { line, what }: &Problem) -> Error {
    Error::Data(format!("{source}, line {line}: {what}"))
}

fn titles() -> Vec<&'static str> {
    let mut titles = vec!["language", "language_probability", "sentiment", "sentiment_sure"];
    titles.extend(Emotion::ALL.map(Emotion::name));
    titles.push("abstained");
    titles
}

fn cells(analysis: &Analysis) -> Vec<String> {
    let sentiment = analysis.sentiment;
    let figure = |figure: Option<f32>| figure.map_or(String::new(), |figure| format!("{figure:.3}"));
    let mut cells = vec![
        analysis.language.to_owned(),
        figure(Some(analysis.language_probability)),
        figure(sentiment.map(|sentiment| sentiment.value)),
        figure(sentiment.map(|sentiment| sentiment.sure)),
    ];
    match &analysis.emotions {
        Some(emotions) => cells.extend(emotions.iter().map(|emotion| figure(Some(emotion.value)))),
        None => cells.extend(Emotion::ALL.map(|_| String::new())),
    }
    cells.push(analysis.abstention.map_or("", abstained).to_owned());
    cells
}

fn row(text: &str, analysis: &Analysis) -> String {
    let (sentiment, sure) = match (analysis.sentiment, analysis.abstention) {
        (Some(Estimate { value, sure }), _) => (format!("{value:+.2}"), format!("{sure:.2}")),
        (None, why) => (why.map_or("", abstained).replace('_', " "), String::new()),
    };
    let mut found: Vec<(&str, Estimate)> = Emotion::ALL
        .into_iter()
        .zip(analysis.emotions.iter().flatten())
        .filter(|(_, estimate)| estimate.value >= 0.5)
        .map(|(emotion, estimate)| (emotion.name(), *estimate))
        .collect();
    found.sort_by(|(_, one), (_, other)| other.value.total_cmp(&one.value));
    let emotions: Vec<String> = found.iter().map(|(name, estimate)| format!("{name} {:.2}", estimate.value)).collect();
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let short: String = text.chars().take(TEXT_WIDTH).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    let line = format!(
        "{:<8}  {sentiment:>14}  {sure:>4}  {:<32}  {short}{cut}",
        analysis.language,
        emotions.into_iter().take(2).collect::<Vec<_>>().join(", ")
    );
    line.trim_end().to_owned()
}

fn json(text: &str, analysis: &Analysis, competitors: &[&str]) -> Value {
    let mut told = Map::new();
    let figure = |figure: f32| json!((f64::from(figure) * 1e3).round() / 1e3);
    told.insert("language".to_owned(), json!(analysis.language));
    told.insert("language_probability".to_owned(), figure(analysis.language_probability));
    let sentiment = analysis.sentiment;
    told.insert("sentiment".to_owned(), sentiment.map_or(Value::Null, |sentiment| figure(sentiment.value)));
    told.insert("sentiment_sure".to_owned(), sentiment.map_or(Value::Null, |sentiment| figure(sentiment.sure)));
    for (position, emotion) in Emotion::ALL.into_iter().enumerate() {
        let estimate = analysis.emotions.as_ref().and_then(|emotions| emotions.get(position));
        told.insert(emotion.name().to_owned(), estimate.map_or(Value::Null, |estimate| figure(estimate.value)));
        told.insert(format!("{}_sure", emotion.name()), estimate.map_or(Value::Null, |estimate| figure(estimate.sure)));
    }
    told.insert("abstained".to_owned(), analysis.abstention.map_or(Value::Null, |why| json!(abstained(why))));
    let spans = analysis.spans.iter().map(|span| place(text, span, competitors));
    told.insert("spans".to_owned(), spans.collect());
    Value::Object(told)
}

fn place(text: &str, span: &Span, competitors: &[&str]) -> Value {
    let mut told = json!({
        "kind": match span.kind {
            SpanKind::Need => "need",
            SpanKind::Suggestion => "suggestion",
            SpanKind::Complaint => "complaint",
            SpanKind::Thanks => "thanks",
            SpanKind::Promise => "promise",
            SpanKind::Competitor => "competitor",
        },
        "start_byte": span.range.start,
        "end_byte": span.range.end,
        "text": text.get(span.range.clone()),
    });
    if let Some(name) = span.competitor.and_then(|index| competitors.get(index)) {
        told["competitor"] = json!(name);
    }
    if let Some(stance) = span.stance {
        told["stance"] = json!(match stance {
            Stance::Favorable => "favorable",
            Stance::Neutral => "neutral",
            Stance::Unfavorable => "unfavorable",
        });
    }
    told
}

fn abstained(why: Abstention) -> &'static str {
    match why {
        Abstention::Empty => "empty",
        Abstention::TooShort => "too_short",
        Abstention::OtherLanguage => "other_language",
        Abstention::MixedLanguage => "mixed_language",
        Abstention::Unfamiliar => "unfamiliar",
        Abstention::Unsure => "unsure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analysis() -> Analysis {
        let mut emotions = [Estimate { value: 0.1, sure: 0.1 }; 8];
        emotions[6] = Estimate { value: 0.75, sure: 0.8 };
        Analysis {
            language: "en",
            language_probability: 0.99,
            sentiment: Some(Estimate { value: -0.8, sure: 0.9 }),
            emotions: Some(emotions),
            abstention: None,
            spans: vec![Span {
                kind: SpanKind::Competitor,
                range: 5..11,
                competitor: Some(0),
                stance: Some(Stance::Favorable),
            }],
        }
    }

    fn told(format: Format, analysis: &Analysis) -> String {
        let mut told = Told::begin(Vec::new(), format, &["Globex"]).expect("a beginning");
        told.tell("like Globex\tmore", analysis).expect("a line");
        String::from_utf8(told.end().expect("an end")).expect("UTF-8")
    }

    #[test]
    fn every_form_tells_the_same() {
        assert_eq!(
            told(Format::Csv, &analysis()),
            "language,language_probability,sentiment,sentiment_sure,joy,trust,fear,surprise,sadness,disgust,anger,\
             anticipation,abstained\nen,0.990,-0.800,0.900,0.100,0.100,0.100,0.100,0.100,0.100,0.750,0.100,\n"
        );
        let json: Value = serde_json::from_str(told(Format::Json, &analysis()).trim()).expect("JSON");
        assert_eq!(
            (&json["anger"], &json["anger_sure"], &json["abstained"]),
            (&json!(0.75), &json!(0.8), &Value::Null)
        );
        assert_eq!(json["spans"][0]["text"], "Globex");
        assert_eq!(
            (&json["spans"][0]["competitor"], &json["spans"][0]["stance"]),
            (&json!("Globex"), &json!("favorable"))
        );
        let table = told(Format::Table, &analysis());
        assert!(table.contains("-0.80  0.90  anger 0.75") && table.contains("like Globex more"), "{table}");
    }

    #[test]
    fn an_abstention_leaves_its_reason_and_nothing_else() {
        let abstained = Analysis {
            sentiment: None,
            emotions: None,
            abstention: Some(Abstention::TooShort),
            spans: vec![],
            ..analysis()
        };
        assert!(told(Format::Csv, &abstained).ends_with("en,0.990,,,,,,,,,,,too_short\n"));
        assert!(told(Format::Table, &abstained).contains("too short"));
    }
}
