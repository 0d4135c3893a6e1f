//! Reading change feeds and answers to imports, whichever service they are of.

use std::fmt::Debug;

use contracts::common::v1::{FeedPosition, FreshnessToken, ImportRefusal};
use tonic::{Response, Status, Streaming};

/// One message of a feed.
pub(crate) trait Watched: Debug {
    /// What it tells of.
    type Change: Debug;
    /// Takes it apart: the changes, and how far the watcher has come.
    fn parts(self) -> (Vec<Self::Change>, Vec<FeedPosition>);
}

/// Implements [`Watched`] for the answer of a `Watch` method.
macro_rules! watched {
    ($answer:ident of $change:ident) => {
        impl $crate::feed::Watched for $answer {
            type Change = $change;

            fn parts(self) -> (Vec<$change>, Vec<contracts::common::v1::FeedPosition>) {
                (self.changes, self.changes_through)
            }
        }
    };
}
pub(crate) use watched;

/// The answer to one batch of an import.
pub(crate) trait Imported {
    /// How many rows landed, how many said nothing new.
    fn counts(&self) -> (i64, i64);
    fn refusals(&self) -> &[ImportRefusal];
    fn freshness(&self) -> Option<&FreshnessToken>;
}

/// Implements [`Imported`] for the answer of an `Import` method.
macro_rules! imported {
    ($answer:ident) => {
        impl $crate::feed::Imported for $answer {
            fn counts(&self) -> (i64, i64) {
                (self.landed_count, self.unchanged_count)
            }

            fn refusals(&self) -> &[contracts::common::v1::ImportRefusal] {
                &self.refusals
            }

            fn freshness(&self) -> Option<&contracts::common::v1::FreshnessToken> {
                self.freshness.as_ref()
            }
        }
    };
}
pub(crate) use imported;

/// Checks the answers to an import: how many rows of each batch landed and how many were unchanged, and which rows were
/// refused for which fields.
#[track_caller]
pub(crate) fn assert_imported<I: Imported>(answers: &[I], counts: &[(i64, i64)], refused: &[(i64, &str, &[&str])]) {
    assert_eq!(answers.iter().map(I::counts).collect::<Vec<_>>(), counts);
    let refusals: Vec<&ImportRefusal> = answers.iter().flat_map(I::refusals).collect();
    assert_eq!(refusals.len(), refused.len(), "{refusals:?}");
    for (refusal, (index, name, fields)) in refusals.into_iter().zip(refused) {
        assert_eq!((refusal.index, refusal.name.as_str()), (*index, *name));
        assert_eq!(refusal.reason, "ERROR_REASON_INVALID_FIELDS");
        let blamed: Vec<&str> = refusal.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(&blamed, fields);
        assert!(refusal.message.starts_with(fields[0]), "{}", refusal.message);
    }
    assert!(answers.iter().all(|answer| answer.freshness().is_some_and(|token| !token.value.is_empty())));
}

/// Reads until so many changes have come. Returns them, and how far the last message came.
pub(crate) async fn next_changes<W: Watched>(
    stream: &mut Streaming<W>,
    count: usize,
) -> (Vec<W::Change>, Vec<FeedPosition>) {
    let mut changes = Vec::new();
    let mut through = Vec::new();
    while changes.len() < count {
        let (more, reached) = stream.message().await.unwrap().unwrap().parts();
        changes.extend(more);
        through = reached;
    }
    assert_eq!(changes.len(), count, "{changes:?}");
    (changes, through)
}

/// Reads all answers of a stream that ends by itself.
pub(crate) async fn all_answers<M>(stream: Result<Response<Streaming<M>>, Status>) -> Result<Vec<M>, Status> {
    let mut stream = stream?.into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await? {
        answers.push(answer);
    }
    Ok(answers)
}
