//! Forecasts of many customers: what is the same of several is computed once.

use super::model::{ActivityModel, Forecast, IfActive, Kind};
use super::summary::Summary;

/// Forecasts customers one after the other, each bit as [`ActivityModel::forecast`] does. What depends
/// on the repeats and either the age or the last order alone, the dearer part, is remembered. Memory is
/// bounded by some 7 MB.
#[derive(Clone, Debug)]
pub struct Forecaster {
    model: ActivityModel,
    weeks: f64,
    by_age: Memo<ByAge>,
    /// Of Pareto/NBD only.
    by_last: Memo<Option<f64>>,
}

impl Forecaster {
    /// For this model and horizon, in weeks.
    pub fn new(model: ActivityModel, weeks: f64) -> Forecaster {
        Forecaster { model, weeks, by_age: Memo::new(), by_last: Memo::new() }
    }

    /// What this customer is expected to do.
    pub fn forecast(&mut self, of: &Summary) -> Forecast {
        let (model, weeks) = (&self.model, self.weeks);
        let known = self.by_age.of((of.repeats(), of.age()), || ByAge {
            if_active: model.if_active(of, weeks),
            at_cut: model.at_cut(of),
            alive: (of.repeats() == 0).then(|| model.alive(of)),
        });
        if let Some(alive) = known.alive {
            return known.if_active.forecast(alive);
        }
        let at_last = match model.kind() {
            Kind::ParetoNbd => self.by_last.of((of.repeats(), of.last()), || model.at_last(of)),
            _ => None,
        };
        known.if_active.forecast(model.alive_with(of, at_last, known.at_cut))
    }
}

/// What is the same of all customers of equal repeats and age.
#[derive(Clone, Copy, Debug, Default)]
struct ByAge {
    if_active: IfActive,
    at_cut: Option<f64>,
    /// Of a customer with one order, whose last order is the first.
    alive: Option<f64>,
}

/// What was computed of repeats and a time, in one slot for each hash: the latest stays.
#[derive(Clone, Debug)]
struct Memo<T> {
    /// Two to the power of `bits` slots, once there is anything.
    slots: Vec<Slot<T>>,
    bits: u32,
    computed: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot<T> {
    repeats: u32,
    /// No number in an empty slot, which so equals no key.
    time: f64,
    value: T,
}

impl<T: Copy + Default> Memo<T> {
    const LEAST: u32 = 10;
    const MOST: u32 = 16;

    fn new() -> Memo<T> {
        Memo { slots: Vec::new(), bits: 0, computed: 0 }
    }

    fn of(&mut self, (repeats, time): (u32, f64), compute: impl FnOnce() -> T) -> T {
        if let Some(slot) = self.slots.get(self.place(repeats, time))
            && (slot.repeats, slot.time) == (repeats, time)
        {
            return slot.value;
        }
        // More than there is room for: what was forgotten was perhaps needed again.
        if 4 * self.computed >= 3 * self.slots.len() && self.bits < Self::MOST {
            self.grow();
        }
        let (place, value) = (self.place(repeats, time), compute());
        self.slots[place] = Slot { repeats, time, value };
        self.computed += 1;
        value
    }

    #[cold]
    fn grow(&mut self) {
        self.bits = (self.bits + 2).max(Self::LEAST);
        let empty = Slot { repeats: 0, time: f64::NAN, value: T::default() };
        let kept = std::mem::replace(&mut self.slots, vec![empty; 1 << self.bits]);
        self.computed = 0;
        for slot in kept.into_iter().filter(|slot| !slot.time.is_nan()) {
            let place = self.place(slot.repeats, slot.time);
            self.slots[place] = slot;
            self.computed += 1;
        }
    }

    /// Multiplicative hashing: Knuth, *The Art of Computer Programming* 3, 6.4, with the golden ratio.
    fn place(&self, repeats: u32, time: f64) -> usize {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (time.to_bits().wrapping_mul(GOLDEN).rotate_left(29) ^ u64::from(repeats)).wrapping_mul(GOLDEN);
        // A shift by all bits would be none.
        (mixed >> 1 >> (63 - self.bits)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_is_as_without_memory() {
        let of =
            |kind: Kind| ActivityModel::new(kind, &[0.55, 10.6, 0.61, 11.7][..kind.parameter_names().len()]).unwrap();
        for model in Kind::ALL.map(of) {
            let mut forecaster = Forecaster::new(model, 13.0);
            // Twice over customers of whom some share the age and some the last order.
            for n in 0..8_000u32 {
                let (repeats, age) = (n % 7, f64::from(n % 4_000 / 40) + 20.0);
                let last = if repeats == 0 { 0.0 } else { f64::from(n % 40) / 2.0 };
                let customer = Summary::new(repeats, last, age).unwrap();
                assert_eq!(forecaster.forecast(&customer), model.forecast(&customer, 13.0));
            }
            // More than the slots there were at first, and little more than the 700 different ones.
            assert!(forecaster.by_age.slots.len() == 4096 && (700..900).contains(&forecaster.by_age.computed));
        }
    }

    #[test]
    fn memory_is_bounded() {
        let model = ActivityModel::new(Kind::Constant, &[0.2]).unwrap();
        let mut forecaster = Forecaster::new(model, 13.0);
        for n in 0..400_000u32 {
            let customer = Summary::new(1, 0.5, 1.0 + f64::from(n) / 10.0).unwrap();
            assert_eq!(forecaster.forecast(&customer).alive, 1.0);
        }
        assert_eq!(forecaster.by_age.slots.len(), 1 << 16);
    }
}
