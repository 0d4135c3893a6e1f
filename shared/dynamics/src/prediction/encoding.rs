//! The binary form of a [`Predictor`], for storage, in the manner of [`crate::codec`]; the first byte is the version.

use super::history::Feature;
use super::layer::{Correction, Term};
use super::model::{ActivityModel, Kind};
use super::predictor::{Predictor, PredictorParts, Uncertainty};
use super::spend::{GammaGamma, SpendModel};
use crate::codec::{DecodeError, Reader, Writer};

const VERSION: u8 = 1;
/// No model has more terms than this; a damaged count must not reserve memory.
const MOST_NUMBERS: usize = 1 << 16;

impl Predictor {
    /// The compact binary form, which keeps every number to the bit.
    pub fn encode(&self) -> Vec<u8> {
        let parts = self.parts();
        let mut out = Writer::new(VERSION);
        out.unsigned(parts.horizon_days.into());
        write_activity(&mut out, &parts.activity);
        out.option(parts.uncertainty.as_ref(), |out, uncertainty| {
            write_activity(out, &uncertainty.model);
            write_numbers(out, &uncertainty.covariance_of_logarithms);
        });
        out.option(parts.spend.as_ref(), |out, spend| {
            out.option(spend.law(), |out, law| law.parameters().into_iter().for_each(|number| out.float(number)));
            out.float(spend.pooled());
        });
        out.option(parts.spend_covariance.as_ref(), |out, covariance| write_numbers(out, covariance));
        out.byte(parts.spend_follows_orders.into());
        for correction in [&parts.chance, &parts.orders] {
            out.option(correction.as_ref(), write_correction);
        }
        out.finish()
    }

    /// The predictor that [`Predictor::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are of another version, cut, too long or out of range.
    pub fn decode(bytes: &[u8]) -> Result<Predictor, DecodeError> {
        const WHAT: DecodeError = DecodeError::OutOfRange("a predictor");
        let mut input = Reader::new(bytes, VERSION)?;
        let parts = PredictorParts {
            horizon_days: input.count("a horizon")?,
            activity: read_activity(&mut input)?,
            uncertainty: input.option(|input| {
                let model = read_activity(input)?;
                Ok(Uncertainty { model, covariance_of_logarithms: read_numbers(input)? })
            })?,
            spend: input.option(|input| {
                let law = input.option(|input| {
                    let [p, q, v] = [input.float()?, input.float()?, input.float()?];
                    GammaGamma::new(p, q, v).ok_or(WHAT)
                })?;
                SpendModel::new(law, input.float()?).ok_or(WHAT)
            })?,
            spend_covariance: input.option(read_numbers)?,
            spend_follows_orders: match input.byte()? {
                0 => false,
                1 => true,
                _ => return Err(WHAT),
            },
            chance: input.option(read_correction)?,
            orders: input.option(read_correction)?,
        };
        input.finish()?;
        Predictor::from_parts(parts).map_err(|_| WHAT)
    }
}

fn write_activity(out: &mut Writer, model: &ActivityModel) {
    out.text(model.kind().name());
    write_numbers(out, &model.parameters());
}

fn read_activity(input: &mut Reader<'_>) -> Result<ActivityModel, DecodeError> {
    let kind = Kind::parse(input.text()?);
    let parameters = read_numbers(input)?;
    let model = kind.and_then(|kind| ActivityModel::new(kind, &parameters));
    model.ok_or(DecodeError::OutOfRange("a model of activity"))
}

fn write_correction(out: &mut Writer, correction: &Correction) {
    out.unsigned(correction.terms.len() as u128);
    for term in &correction.terms {
        out.option(term.feature, |out, feature| out.text(feature.name()));
        for number in [term.mean, term.deviation, term.least, term.greatest, term.weight] {
            out.float(number);
        }
    }
    out.float(correction.level);
    write_numbers(out, &correction.covariance);
}

fn read_correction(input: &mut Reader<'_>) -> Result<Correction, DecodeError> {
    let count = read_count(input)?;
    let mut terms = Vec::with_capacity(count.min(input.left()));
    for _ in 0..count {
        let feature = input.option(|input| {
            Feature::from_name(input.text()?).ok_or(DecodeError::OutOfRange("a feature of customers"))
        })?;
        let [mean, deviation, least, greatest, weight] =
            [input.float()?, input.float()?, input.float()?, input.float()?, input.float()?];
        terms.push(Term { feature, mean, deviation, least, greatest, weight });
    }
    Ok(Correction { terms, level: input.float()?, covariance: read_numbers(input)? })
}

fn write_numbers(out: &mut Writer, numbers: &[f64]) {
    out.unsigned(numbers.len() as u128);
    numbers.iter().for_each(|number| out.float(*number));
}

fn read_numbers(input: &mut Reader<'_>) -> Result<Vec<f64>, DecodeError> {
    let count = read_count(input)?;
    (0..count).map(|_| input.float()).collect()
}

fn read_count(input: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let count = input.count("a count")?;
    if count > MOST_NUMBERS { Err(DecodeError::OutOfRange("a count")) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prediction::{OrderDay, Plan, Trainer};

    #[test]
    fn a_trained_predictor_comes_back_to_the_bit() {
        let mut trainer = Trainer::new(Plan::new(0, 720, 91).unwrap());
        for customer in 0..600_i64 {
            let gap = 20 + customer * 37 % 150;
            let last = 150 + customer * 53 % 700;
            let days: Vec<OrderDay> = (customer % 60..last)
                .step_by(gap as usize)
                .map(|day| OrderDay { day, spend: (20 + (day * 7 + customer) % 50) as f64 })
                .collect();
            trainer.add(&days, &[]).unwrap();
        }
        let predictor = trainer.train(&mut |_| {}).unwrap().predictor;
        let bytes = predictor.encode();
        assert_eq!(Predictor::decode(&bytes), Ok(predictor));
        for end in 0..bytes.len() {
            assert!(Predictor::decode(&bytes[..end]).is_err());
        }
        assert!(Predictor::decode(&[bytes, vec![0]].concat()).is_err());
    }
}
