//! What customers write.

use language::{Analyzer, Competitors, Context, Polarity, SpanKind};

/// A text, read for what it says. Its first line, if it has several, names competitors, separated by commas.
pub fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let names = text.split_once('\n').map_or("", |(first, _)| first);
    let competitors = Competitors::new(names.split(',').map(|name| (name, [""; 0]))).unwrap_or_default();
    let analyzer = Analyzer::embedded();
    let context = Context { competitors: Some(&competitors), ..Context::default() };
    let analysis = analyzer.analyze_with(&text, &context);
    assert_eq!(analysis, analyzer.analyze_with(&text, &context), "a text says the same twice");

    assert!((0.0..=1.0).contains(&analysis.language_probability));
    assert_eq!(analysis.sentiment.is_none(), analysis.abstention.is_some());
    if let Some(estimate) = analysis.sentiment {
        assert!((-1.0..=1.0).contains(&estimate.value) && (0.0..=1.0).contains(&estimate.sure));
        assert!(Polarity::ALL.contains(&Polarity::of(estimate.value)));
    }
    for estimate in analysis.emotions.iter().flatten() {
        assert!((0.0..=1.0).contains(&estimate.value) && (0.0..=1.0).contains(&estimate.sure));
    }
    let mut last = 0;
    for span in &analysis.spans {
        assert!(
            text.get(span.range.clone()).is_some_and(|place| !place.is_empty()),
            "{span:?} is no place in the text"
        );
        assert!(span.range.start >= last, "places come in the order of the text");
        last = span.range.start;
        let is_competitor = span.kind == SpanKind::Competitor;
        assert_eq!((is_competitor, is_competitor), (span.competitor.is_some(), span.stance.is_some()));
    }
}
