#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;

/// An element with its attributes and the text in it.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

impl Element {
    fn number(&self, attribute: &str) -> f64 {
        self.attributes[attribute].parse().unwrap()
    }
}

/// All elements of a document in their order; fails where tags do not match or a character that
/// must be escaped is not.
fn parsed(svg: &str) -> Vec<Element> {
    let (mut elements, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut rest = svg.trim();
    while !rest.is_empty() {
        let (text, tag) = rest.split_once('<').unwrap();
        if let Some(inner) = open.last() {
            elements[*inner].text.push_str(&unescaped(text.trim()));
        } else {
            assert_eq!(text.trim(), "");
        }
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(elements[open.pop().unwrap()].name, name);
            assert!(!open.is_empty() || rest.is_empty());
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut list) = tag.split_once(' ').unwrap();
        let mut attributes = BTreeMap::new();
        while !list.trim().is_empty() {
            let (key, value) = list.split_once("=\"").unwrap();
            let (value, after) = value.split_once('"').unwrap();
            assert!(attributes.insert(key.trim().to_owned(), unescaped(value)).is_none());
            list = after;
        }
        if !closed {
            open.push(elements.len());
        }
        elements.push(Element { name: name.to_owned(), attributes, text: String::new() });
    }
    assert!(open.is_empty());
    elements
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"']) && !text.chars().any(char::is_control), "{text:?}");
    let mut plain = text.to_owned();
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'")] {
        plain = plain.replace(entity, character);
    }
    assert_eq!(plain.matches('&').count(), plain.matches("&amp;").count(), "{text:?}");
    plain.replace("&amp;", "&")
}

fn texts(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter(|element| element.name == "text").map(|element| element.text.as_str()).collect()
}

fn table() -> Vec<Reliability> {
    let bin = |(n, actual): (usize, &f64)| Reliability {
        customers: 100,
        predicted: 0.05 + 0.1 * n as f64,
        actual: *actual,
        interval: ((actual - 0.05).max(0.0), (actual + 0.05).min(1.0)),
    };
    [0.02, 0.17, 0.2, 0.4, 0.44, 0.6, 0.61, 0.8, 0.83, 0.99].iter().enumerate().map(bin).collect()
}

#[test]
fn dots_lie_where_the_rates_are() {
    let elements = parsed(&reliability("As of 1997-09-30", &table()).svg().unwrap());
    let shown = texts(&elements);
    for text in ["As of 1997-09-30", "predicted chance of an order", "customers who ordered", "50%", "as predicted"] {
        assert!(shown.contains(&text), "{text} {shown:?}");
    }
    // Ten dots and the one in the legend; equal steps across, and the higher rate above.
    let dots: Vec<(f64, f64)> = elements
        .iter()
        .filter(|element| element.name == "circle")
        .map(|dot| (dot.number("cx"), dot.number("cy")))
        .collect();
    assert_eq!(dots.len(), 11);
    let step = (dots[9].0 - dots[0].0) / 9.0;
    for (n, pair) in dots[..10].windows(2).enumerate() {
        assert!((pair[1].0 - pair[0].0 - step).abs() <= 1.0, "{n} {pair:?}");
        assert!(pair[1].1 < pair[0].1, "{n} {pair:?}");
    }
    // Both axes are from 0 to 1: a tenth across is a `step`, and up likewise by its own measure.
    let plot = elements.iter().find(|element| element.attributes.get("fill").is_some_and(|fill| fill == "#FFFFFF"));
    assert_eq!((plot.unwrap().number("width"), plot.unwrap().number("height")), (960.0, 640.0));
    let up = (dots[0].1 - dots[9].1) / 0.97;
    assert!((dots[0].1 - dots[3].1 - 0.38 * up).abs() <= 2.0, "{dots:?}");
}

#[test]
fn bars_are_as_high_as_their_counts() {
    let chart = distribution("Bond", "bond", &[0.0, 10.0, 20.0, 30.0], &[100, 50, 0]);
    let elements = parsed(&chart.svg().unwrap());
    let bars: Vec<&Element> =
        elements.iter().filter(|bar| bar.name == "rect" && bar.attributes["fill"] == "#0072B2").collect();
    assert_eq!(bars.len(), 3);
    let heights: Vec<f64> = bars.iter().map(|bar| bar.number("height")).collect();
    assert!((heights[0] - 2.0 * heights[1]).abs() <= 2.0 && heights[2] <= 1.0, "{heights:?}");
    assert!(bars[0].number("x") < bars[1].number("x"));
    // Nothing has a name, so there is no legend beside the title, both axes and their numbers.
    assert!(texts(&elements).contains(&"accounts"));
}

#[test]
fn lines_begin_at_the_cut_and_rise() {
    let weeks = |totals: [f64; 3]| [(1.0, totals[0]), (2.0, totals[1]), (3.0, totals[2])];
    let (actual, model, rule) = (weeks([10.0, 25.0, 4000.0]), weeks([12.0, 24.0, 3100.0]), weeks([9.0; 3]));
    let chart = cumulative("Orders", &actual, &[("model", &model), ("rule", &rule)]);
    let elements = parsed(&chart.svg().unwrap());
    let shown = texts(&elements);
    assert!(["actual", "model", "rule", "4,000"].iter().all(|text| shown.contains(text)), "{shown:?}");
    let lines: Vec<Vec<(f64, f64)>> = elements
        .iter()
        .filter(|line| line.name == "polyline" && line.attributes["stroke-width"] == "2")
        .map(|line| {
            let point = |pair: &str| {
                let (x, y) = pair.split_once(',').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            };
            line.attributes["points"].split_whitespace().map(point).collect()
        })
        .filter(|line: &Vec<(f64, f64)>| line.len() == 4)
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line[0] == lines[0][0]));
    assert!(lines[0].windows(2).all(|pair| pair[1].0 > pair[0].0 && pair[1].1 <= pair[0].1));
    assert!(lines[0][3].1 < lines[1][3].1 && lines[1][3].1 < lines[2][3].1);
}

#[test]
fn texts_are_escaped_and_bytes_repeat() {
    let title = "A & B <script> \"quoted\" 'so' \u{0} \u{ffff} ü";
    let chart = retention(title, "quarters", &[("Q1 & later", &[0.5, 0.25]), ("<Q2>", &[0.4])]);
    let svg = chart.svg().unwrap();
    assert_eq!(svg, chart.svg().unwrap());
    let elements = parsed(&svg);
    let shown = texts(&elements);
    for text in ["A & B <script> \"quoted\" 'so'   ü", "Q1 & later", "<Q2>"] {
        assert!(shown.contains(&text), "{text} {shown:?}");
    }
}

#[test]
fn charts_of_nothing_and_of_no_numbers_are_drawn() {
    let odd = [f64::NAN, f64::INFINITY, -1e300, 1e11, 1e-300, 0.0];
    let bins: Vec<Reliability> = odd
        .iter()
        .map(|odd| Reliability { customers: 0, predicted: *odd, actual: *odd, interval: (*odd, *odd) })
        .collect();
    let points = odd.map(|odd| (odd, odd));
    for chart in [
        reliability("", &[]),
        reliability("odd", &bins),
        cumulative("", &[], &[]),
        cumulative("odd", &points, &[("odd", &points)]),
        cumulative("none", &[(0.0, 0.0); 3], &[]),
        distribution("", "", &[], &[]),
        distribution("odd", "figure", &odd, &[u64::MAX; 9]),
        distribution("one", "figure", &[5.0, 5.0], &[1]),
        retention("", "", &[]),
        retention("odd", "", &[("odd", &odd)]),
    ] {
        let elements = parsed(&chart.svg().unwrap());
        for element in elements {
            assert!(element.attributes.values().all(|value| !value.contains("NaN") && !value.contains("inf")));
        }
    }
}

#[test]
fn a_sheet_has_its_charts_one_below_the_other() {
    let charts = ["One", "Two"].map(|title| distribution(title, "bond", &[0.0, 50.0, 100.0], &[1, 2]));
    let elements = parsed(&sheet(&charts).unwrap());
    let pages: Vec<&Element> = elements.iter().filter(|element| element.name == "svg").collect();
    assert_eq!(pages.len(), 3);
    assert_eq!((pages[0].number("width"), pages[0].number("height")), (960.0, 1280.0));
    assert_eq!((pages[1].number("y"), pages[2].number("y")), (0.0, 640.0));
    let shown = texts(&elements);
    assert!(shown.contains(&"One") && shown.contains(&"Two"), "{shown:?}");
    assert_eq!(parsed(&sheet(&[]).unwrap()).len(), 1);
}
