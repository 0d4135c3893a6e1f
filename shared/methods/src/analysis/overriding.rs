//! Overriding: somebody who knows better says what a text's analysis should have been.

use contracts::common::v1::AnalysisOverride;
use runtime::Fault;

use crate::{Call, Done, Kind, Methods, Resource, Violations, from_micros, state_conflict};

impl Methods {
    /// Says what the analysis of a resource should have been; nothing takes that back.
    ///
    /// # Errors
    /// Every violation; NOT_FOUND, ABORTED for another etag; FAILED_PRECONDITION if the resource has no words.
    pub async fn override_analysis<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        target: (&str, &str, &str),
        said: Option<AnalysisOverride>,
    ) -> Result<Done<T>, Fault> {
        let mut violations = Violations::default();
        kind.check_target(target.0, target.2, &mut violations);
        if let Some(said) = &said {
            violations.within("override", |violations| {
                violations.number("sentiment", said.sentiment, -1.0, 1.0);
                violations.emotions("emotions", &said.emotions);
                violations.text("reason", &said.reason, 1, 1_024);
            });
        }
        violations.finish()?;
        let done = self
            .transition(kind, call, target, move |resource, now| {
                let Some(reading) = &kind.reading else {
                    return Err(state_conflict(resource.name(), "without words", "overridden"));
                };
                if (reading.text)(resource).is_empty() {
                    return Err(state_conflict(resource.name(), "without words", "overridden"));
                }
                let analysis = (reading.analysis)(resource);
                match said {
                    Some(said) => {
                        let said = AnalysisOverride { override_time: Some(from_micros(now)), ..said };
                        analysis.get_or_insert_default().r#override = Some(said);
                    }
                    None => {
                        if let Some(analysis) = analysis {
                            analysis.r#override = None;
                        }
                    }
                }
                Ok(())
            })
            .await?;
        Ok(done)
    }
}
