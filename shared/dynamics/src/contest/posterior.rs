//! What the cases have taught, to be read, stored and put back.

use super::linear::{Matrix, cholesky, mirrored};
use super::logistic::{Laplace, Row, laplace};
use super::offer::Case;
use super::prior::{Belief, Form, Prior};
use crate::codec::{DecodeError, Reader, Writer};

const VERSION: u8 = 1;

/// What is believed of both questions after the cases.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// Of giving the chance to counter.
    pub asking: Coefficients,
    /// Of staying.
    pub staying: Coefficients,
}

/// What is believed of one question: a Gaussian of its coefficients.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    names: Vec<(&'static str, Form)>,
    mean: Vec<f64>,
    covariance: Matrix,
    cases: u64,
    yes: f64,
}

/// One coefficient, to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    /// The feature, in snake case.
    pub name: &'static str,
    /// How the coefficient enters; mean and deviation are those of its logarithm if it is positive.
    pub form: Form,
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

/// Learns from cases in any order; the order makes no difference to the last bit. Cases of which
/// the answer is not known yet are passed over.
pub fn fit(prior: &Prior, cases: &[Case]) -> Posterior {
    let mut asking: Vec<_> = cases.iter().filter_map(Case::asking).collect();
    let mut staying: Vec<_> = cases.iter().filter_map(Case::staying).collect();
    Posterior {
        asking: Coefficients::learn(&prior.asking, &mut asking),
        staying: Coefficients::learn(&prior.staying, &mut staying),
    }
}

impl Case {
    /// The case as the first question sees it; none when the answer is not known.
    pub(super) fn asking(&self) -> Option<Row<{ super::standing::ASKING }>> {
        let outcome = f64::from(u8::from(self.asked?));
        Some(Row { features: self.standing.asking(0.0), outcome })
    }

    /// The case as the second question sees it; none while it is open.
    pub(super) fn staying(&self) -> Option<Row<{ super::standing::STAYING }>> {
        let outcome = self.ending?.share();
        Some(Row { features: self.standing.staying(0.0, self.countered), outcome })
    }
}

impl Coefficients {
    pub(super) fn learn<const N: usize>(beliefs: &[Belief; N], rows: &mut [Row<N>]) -> Coefficients {
        let Laplace { mean, covariance } = laplace(beliefs, rows);
        Coefficients {
            names: names(beliefs),
            mean,
            covariance,
            cases: rows.len() as u64,
            yes: rows.iter().map(|row| row.outcome).sum(),
        }
    }

    /// Each coefficient, in the order of the prior's.
    pub fn each(&self) -> impl Iterator<Item = Coefficient> {
        self.names.iter().enumerate().map(|(j, (name, form))| Coefficient {
            name,
            form: *form,
            mean: self.mean[j],
            deviation: self.covariance[j][j].sqrt(),
        })
    }

    /// Their means, in that order.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Their covariance, by rows.
    pub fn covariance(&self) -> &[Vec<f64>] {
        &self.covariance
    }

    /// The cases they were learned from.
    pub fn cases(&self) -> u64 {
        self.cases
    }

    /// How many of the cases were answered with yes; a business split with a rival is one half.
    pub fn yes(&self) -> f64 {
        self.yes
    }

    fn write(&self, out: &mut Writer) {
        out.unsigned(self.cases.into());
        out.float(self.yes);
        out.unsigned(self.mean.len() as u128);
        self.mean.iter().for_each(|mean| out.float(*mean));
        for (j, row) in self.covariance.iter().enumerate() {
            row[..=j].iter().for_each(|covariance| out.float(*covariance));
        }
    }

    fn read(input: &mut Reader<'_>, beliefs: &[Belief]) -> Result<Coefficients, DecodeError> {
        let cases: u64 = input.count("a number of cases")?;
        let yes = input.float()?;
        if !(0.0..=cases as f64).contains(&yes) {
            return Err(DecodeError::OutOfRange("a number of cases"));
        }
        let n = beliefs.len();
        if input.unsigned()? != n as u128 {
            return Err(DecodeError::OutOfRange("a number of coefficients"));
        }
        let mut mean = vec![0.0; n];
        for value in &mut mean {
            *value = input.float()?;
        }
        let mut lower = vec![vec![]; n];
        for (last, row) in lower.iter_mut().enumerate() {
            for _ in 0..=last {
                row.push(input.float()?);
            }
        }
        let covariance = mirrored(&lower);
        let finite = mean.iter().chain(covariance.iter().flatten()).all(|value| value.is_finite());
        if !finite || cholesky(&covariance).is_none() {
            return Err(DecodeError::OutOfRange("a coefficient"));
        }
        Ok(Coefficients { names: names(beliefs), mean, covariance, cases, yes })
    }
}

fn names(beliefs: &[Belief]) -> Vec<(&'static str, Form)> {
    beliefs.iter().map(|belief| (belief.name, belief.form)).collect()
}

impl Posterior {
    /// The compact binary form. Equal posteriors have equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(VERSION);
        self.asking.write(&mut out);
        self.staying.write(&mut out);
        out.finish()
    }

    /// The posterior that [`Posterior::encode`] wrote, to the last bit.
    ///
    /// # Errors
    /// When the bytes are of another version, cut, too long or no posterior.
    pub fn decode(bytes: &[u8]) -> Result<Posterior, DecodeError> {
        let prior = Prior::default();
        let mut input = Reader::new(bytes, VERSION)?;
        let asking = Coefficients::read(&mut input, &prior.asking)?;
        let staying = Coefficients::read(&mut input, &prior.staying)?;
        input.finish()?;
        Ok(Posterior { asking, staying })
    }
}
