//! The figures of an assessment that lists filter and order by.

use dynamics::{Assessment, Facet, View};

/// How many figures there are.
pub(crate) const METRICS: usize = 41;

/// Returns the names of the figures, which are fields of the filter, in the order in which they are kept. Another order or
/// another figure makes [`crate::told::EVIDENCE_REVISION`] another one: what is kept is made again then.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = ["bond", "gap", "trust_gap", "confidence", "velocity"].map(str::to_owned).to_vec();
    for view in View::ALL {
        let facets = Facet::ALL.map(Facet::name);
        for part in std::iter::once("index").chain(facets) {
            let view = view.name();
            names.push(format!("{view}_{part}"));
            names.push(format!("{view}_{part}_confidence"));
            names.push(format!("{view}_{part}_velocity"));
        }
    }
    names
}

/// The number of the figure of this name.
pub(crate) fn number(name: &str) -> Option<usize> {
    names().iter().position(|known| known == name)
}

/// Returns the figures of an assessment, in the order of [`names`].
pub(crate) fn figures(assessment: &Assessment) -> Vec<f64> {
    let relationship = &assessment.relationship;
    let mut figures = Vec::with_capacity(METRICS);
    figures.extend([
        relationship.bond,
        relationship.gap,
        relationship.trust_gap,
        relationship.confidence,
        relationship.velocity,
    ]);
    for view in &assessment.views {
        figures.extend([view.index, view.confidence, view.velocity]);
        for facet in &view.facets {
            figures.extend([facet.score, facet.confidence, facet.velocity]);
        }
    }
    figures
}

/// Figures as they are kept: eight bytes each.
pub(crate) fn encode(figures: &[f64]) -> Vec<u8> {
    figures.iter().flat_map(|figure| figure.to_le_bytes()).collect()
}

/// Reads back what [`encode`] wrote; none if these are not the figures of this version of the program.
pub(crate) fn decode(document: &[u8]) -> Option<Vec<f64>> {
    let (figures, rest) = document.as_chunks();
    let is_whole = figures.len() == METRICS && rest.is_empty();
    is_whole.then(|| figures.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

/// The bond's place among the figures.
pub(crate) const BOND: usize = 0;

/// A facet's place among the figures.
pub(crate) fn place(view: View, facet: Facet) -> usize {
    // Each view has an index before its facets, each of them with confidence and velocity.
    5 + view.index() * 3 * (1 + Facet::ALL.len()) + 3 * (1 + facet.index())
}

/// The places of the bond and of the facets of both views.
pub(crate) fn scores() -> impl Iterator<Item = usize> {
    let facets = View::ALL.into_iter().flat_map(|view| Facet::ALL.into_iter().map(move |facet| place(view, facet)));
    std::iter::once(BOND).chain(facets)
}

#[cfg(test)]
mod tests {
    use dynamics::{HalfLives, Ledger, Model};

    use super::*;

    #[test]
    fn every_figure_has_a_name_and_is_kept() {
        let model = Model::default();
        let ledger = Ledger::new(HalfLives::new(180, 45).unwrap());
        let figures = figures(&dynamics::assess(&ledger, &model, 0));
        assert_eq!((names().len(), figures.len()), (METRICS, METRICS));
        let kept = encode(&figures);
        assert_eq!(decode(&kept), Some(figures));
        assert_eq!(decode(&kept[8..]), None);
        assert_eq!(decode(&kept[1..]), None);
    }

    #[test]
    fn the_scores_are_found_at_their_places() {
        let names = names();
        let scores: Vec<&str> = scores().map(|place| names[place].as_str()).collect();
        assert_eq!(scores.len(), 11);
        assert_eq!((scores[0], scores[1], scores[10]), ("bond", "customer_rapport", "provider_value"));
        assert_eq!(names[place(View::Provider, Facet::Trust)], "provider_trust");
    }
}
