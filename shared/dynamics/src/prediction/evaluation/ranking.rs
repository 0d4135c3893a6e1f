//! Who was ranked above whom.

use super::{Case, Estimate, Figure, Undefined, tenth};

/// The customers of one chance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) chance: f64,
    pub(super) customers: u64,
    /// Those of them who ordered.
    pub(super) ordered: u64,
}

impl Level {
    /// Those who did not order.
    pub(super) fn others(&self) -> u64 {
        self.customers - self.ordered
    }
}

/// The levels of cases that are sorted by chance.
pub(super) fn levels(cases: &[Case]) -> Vec<Level> {
    let alike = cases.chunk_by(|one, other| one.predicted.any_order == other.predicted.any_order);
    let level = |cases: &[Case]| Level {
        chance: cases[0].predicted.any_order,
        customers: cases.len() as u64,
        ordered: cases.iter().filter(|case| case.ordered()).count() as u64,
    };
    alike.map(level).collect()
}

/// How those of one level rank: the share of those who did not order that lies below it, and the
/// share of those who did that lies above, its own counting half.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    pub(super) of_ordered: f64,
    pub(super) of_others: f64,
}

/// The placement of each level, in rising order of chance.
///
/// # Errors
/// When nobody ordered, or everybody.
pub(super) fn placements(levels: &[Level]) -> Figure<(Vec<Placement>, u64, u64)> {
    let ordered = levels.iter().map(|level| level.ordered).sum::<u64>();
    let others = levels.iter().map(Level::others).sum::<u64>();
    if levels.is_empty() {
        return Err(Undefined::NoCustomers);
    }
    if ordered == 0 {
        return Err(Undefined::NobodyOrdered);
    }
    if others == 0 {
        return Err(Undefined::EverybodyOrdered);
    }
    let (mut others_below, mut ordered_above) = (0, ordered);
    let place = |level: &Level| {
        ordered_above -= level.ordered;
        let placement = Placement {
            of_ordered: (others_below as f64 + level.others() as f64 / 2.0) / others as f64,
            of_others: (ordered_above as f64 + level.ordered as f64 / 2.0) / ordered as f64,
        };
        others_below += level.others();
        placement
    };
    Ok((levels.iter().map(place).collect(), ordered, others))
}

/// The area under the ROC curve: the mean placement of those who ordered, which is that of those
/// who did not. Its variance is the sum of those of both means, equation 4 of DeLong et al.
pub(super) fn area(levels: &[Level]) -> Figure<Estimate> {
    let (placements, ordered, others) = placements(levels)?;
    let (m, n) = (ordered as f64, others as f64);
    let both = || levels.iter().zip(&placements);
    let value = both().map(|(level, place)| level.ordered as f64 * place.of_ordered).sum::<f64>() / m;
    let value = value.clamp(0.0, 1.0);
    if levels.len() == 1 {
        // Who is told nothing ranks at random, whatever follows.
        return Ok(Estimate { value: 0.5, lower: 0.5, upper: 0.5 });
    }
    let spread = |part: &dyn Fn(&Level, &Placement) -> (u64, f64)| {
        let of = |(level, place)| {
            let (weight, placement) = part(level, place);
            weight as f64 * (placement - value).powi(2)
        };
        both().map(of).sum::<f64>()
    };
    let of_ordered = spread(&|level, place| (level.ordered, place.of_ordered));
    let of_others = spread(&|level, place| (level.others(), place.of_others));
    let variance = of_ordered / (m - 1.0) / m + of_others / (n - 1.0) / n;
    // Not a number where there is but one of a kind.
    if variance > 0.0 {
        return Ok(Estimate::normal(value, variance, (0.0, 1.0)));
    }
    Ok(by_score(value, m, n))
}

/// Newcombe's interval: the areas whose own variance leaves the one seen within reach. It is method 5
/// of Newcombe (2006), *Confidence intervals for an effect size measure based on the Mann-Whitney
/// statistic, part 2*, Statistics in Medicine 25(4):559-573, with the variance of Hanley and McNeil
/// (1982) at the mean of both counts. It stays open where the ranking seen is perfect.
fn by_score(value: f64, m: f64, n: f64) -> Estimate {
    let mean = (m + n) / 2.0 - 1.0;
    let beyond = |area: f64| {
        let variance =
            area * (1.0 - area) / (m * n) * (1.0 + mean * (1.0 - area) / (2.0 - area) + mean * area / (1.0 + area));
        (value - area).powi(2) > Estimate::DEVIATION.powi(2) * variance
    };
    let bound = |mut outside: f64| {
        let mut inside = value;
        // As often as bits can be told apart.
        for _ in 0..60 {
            let middle = (outside + inside) / 2.0;
            *(if beyond(middle) { &mut outside } else { &mut inside }) = middle;
        }
        inside
    };
    Estimate { value, lower: bound(0.0), upper: bound(1.0) }
}

/// The rate among those ranked highest over the rate of all.
pub(super) fn lift(levels: &[Level], customers: u64) -> Figure<f64> {
    let ordered = levels.iter().map(|level| level.ordered).sum::<u64>();
    if ordered == 0 {
        return Err(Undefined::NobodyOrdered);
    }
    let (top, mut room, mut among) = (tenth(customers), tenth(customers), 0.0);
    for level in levels.iter().rev() {
        let taken = room.min(level.customers);
        among += level.ordered as f64 * (taken as f64 / level.customers as f64);
        room -= taken;
    }
    Ok(among / top as f64 / (ordered as f64 / customers as f64))
}
