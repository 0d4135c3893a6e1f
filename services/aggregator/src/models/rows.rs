//! Models and choices as they are stored.

use std::sync::Arc;

use contracts::assessments::v1 as wire;
use dynamics::Model;
use methods::{Collection, Index, Kind, Violations};
use prost::Message as _;
use store::{Error, Table};

use super::{Choice, Models, Recorded, read_document};
use crate::store::{DocumentRow, Reader};

/// The documents.
pub(crate) const MODELS: Table = Table { name: "models" };
/// What was chosen for each segment.
pub(crate) const CHOICES: Table = Table { name: "model_choices" };

pub(super) static MODEL: Kind<wire::Model> = Kind {
    name: "model",
    table: &MODELS,
    collection: Collection::OfTenant("models"),
    updatable: &[],
    check,
    as_new: |_| {},
    as_row: |_| {},
    derive: |_| {},
    reading: None,
    index: |_| Index::default(),
    related: Kind::<wire::Model>::unrelated,
    rules: Kind::<wire::Model>::no_rules,
};

fn check(model: &wire::Model, violations: &mut Violations) {
    read_document("document", &model.document, violations);
}

impl Models {
    /// Reads all models and choices that are stored.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn load(reader: &Reader) -> Result<Self, Error> {
        let models = Self::default();
        for row in reader.documents(&MODELS).await? {
            models.take(&MODELS, &row)?;
        }
        for row in reader.documents(&CHOICES).await? {
            models.take(&CHOICES, &row)?;
        }
        Ok(models)
    }

    /// Holds what a row of a table says.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn take(&self, table: &Table, row: &DocumentRow) -> Result<(), Error> {
        if *table == CHOICES {
            let model = chosen(row.deleted_at, &row.document)?;
            self.choose(&row.tenant, &row.id, Choice { version: row.version, model });
            return Ok(());
        }
        let stored = wire::Model::decode(row.document.as_slice());
        let document = stored.map_err(|error| Error::Damaged(format!("the model `{}`: {error}", row.id)))?.document;
        match Model::parse(&document) {
            Ok(model) => {
                let created_at = Some(row.created_at);
                self.hold(&row.tenant, Recorded { model: Arc::new(model), document: document.into(), created_at });
            }
            // Recorded by a version of this program that took it: the other tenants must not suffer.
            Err(error) => {
                tracing::error!(model.id = row.id, error = %error, "a recorded model cannot be used any more");
            }
        }
        Ok(())
    }
}

/// The model that the row of a choice names; none if the choice was taken back.
pub(super) fn chosen(deleted_at: Option<i64>, document: &[u8]) -> Result<Option<String>, Error> {
    let id = String::from_utf8(document.to_vec()).map_err(|_| Error::Damaged("a chosen model's id".to_owned()))?;
    Ok(deleted_at.is_none().then_some(id))
}
